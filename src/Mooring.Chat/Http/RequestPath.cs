using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Mooring.Chat.Http;

/// <summary>
/// Parts of a request's path, as they were sent. The framework's own are decoded but for <c>%2F</c>, which then cannot be told from a name
/// with these three characters in it.
/// </summary>
internal static class RequestPath
{
    /// <summary>The part that stands where the template has <c>{name}</c>.</summary>
    internal static string Part(HttpContext context, string template, string name)
    {
        var index = Array.IndexOf(template.Split('/'), $"{{{name}}}");
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (!target.StartsWith('/')) return context.Request.RouteValues[name] as string ?? "";
        var query = target.IndexOf('?', StringComparison.Ordinal);
        var parts = (query < 0 ? target : target[..query]).Split('/');
        return index > 0 && index < parts.Length ? Uri.UnescapeDataString(parts[index]) : "";
    }
}
