using System.Net;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>Where a visitor can report a tunnel to the operator, with the host and the request id in it.</summary>
internal static class ReportLink
{
    /// <summary>An address of mail, or a page.</summary>
    public static bool IsContact(string text) => IsPage(text)
        || (text.IndexOf('@', StringComparison.Ordinal) is > 0 and var at && at < text.Length - 1 && text.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0);

    /// <summary>The link as HTML; nothing without a contact.</summary>
    public static string Html(IngressRequest request)
    {
        if (request.AbuseContact is not { } contact) return "";
        var (host, id) = (Uri.EscapeDataString(request.TryGetHost(out var name) ? name : ""), Uri.EscapeDataString(request.RequestId));
        var target = IsPage(contact) ? $"{contact}{(contact.Contains('?', StringComparison.Ordinal) ? '&' : '?')}host={host}&request={id}" : $"mailto:{contact}?subject=Report%20of%20{host}%20({id})";
        return $" <a href=\"{WebUtility.HtmlEncode(target)}\" rel=\"nofollow\">Report this address</a>";
    }

    private static bool IsPage(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https";
}
