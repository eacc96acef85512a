using System.Net;

namespace Mooring.Cli.Access;

/// <summary>The page for logging in: a form that works without a script.</summary>
internal static class LoginPage
{
    // Nothing but the style sheet is loaded, and the form goes nowhere else.
    private const string Policy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private static readonly Lazy<string> Html = new(() => Resource("login.html"));
    private static readonly Lazy<string> Css = new(() => Resource("login.css"));

    internal static Task WriteAsync(HttpContext context)
    {
        var message = context.Request.Query["failed"].ToString() switch
        {
            "" => "",
            "wait" => "<p class=\"failed\" role=\"alert\">Too many failed attempts. Try again in a few minutes.</p>",
            _ => "<p class=\"failed\" role=\"alert\">Name and password do not belong together.</p>",
        };
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.ContentSecurityPolicy = Policy;
        var next = WebUtility.HtmlEncode(LocalPath(context.Request.Query["next"].ToString()));
        return context.Response.WriteAsync(Html.Value.Replace("{message}", message, StringComparison.Ordinal).Replace("{next}", next, StringComparison.Ordinal), context.RequestAborted);
    }

    internal static Task WriteStyleAsync(HttpContext context)
    {
        context.Response.ContentType = "text/css; charset=utf-8";
        return context.Response.WriteAsync(Css.Value, context.RequestAborted);
    }

    /// <summary>Where to go after the log-in: a path of this server, whatever was asked for.</summary>
    internal static string LocalPath(string path) =>
        path.Length is > 1 and <= 2048 && path[0] == '/' && path[1] is not ('/' or '\\') && !path.Any(char.IsControl) ? path : "/";

    private static string Resource(string name)
    {
        using var stream = typeof(LoginPage).Assembly.GetManifestResourceStream("access/" + name)
            ?? throw new InvalidOperationException($"the program has no '{name}'");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
