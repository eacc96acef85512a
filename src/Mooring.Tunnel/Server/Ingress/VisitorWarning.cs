using System.Net;
using System.Text;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>
/// The page that a person's browser sees before a stranger's tunnel, so that nobody takes it for the operator's own site. It is shown to navigations that
/// want HTML; a cookie remembers that it was seen.
/// </summary>
internal static class VisitorWarning
{
    /// <summary>Programs that look like browsers say with it that nobody needs the page.</summary>
    private const string SkipHeader = "x-retunnel-skip-warning";

    private const string Cookie = "retunnel-visited=1";

    /// <summary>A week: long enough not to be a nuisance, short enough to be seen again.</summary>
    private const string CookieFields = Cookie + "; Path=/; Max-Age=604800; SameSite=Lax; HttpOnly";

    /// <summary>Whether a request is a person's first look.</summary>
    public static bool IsDue(IngressRequest request)
    {
        var asked = request.Request;
        if (asked.Method != "GET" || request.IsWebSocket || !request.Accepts("text/html") || asked.Headers.ContainsKey(SkipHeader)) return false;
        foreach (var cookies in asked.Headers.Cookie)
        {
            foreach (var cookie in cookies.AsSpan().Split(';'))
            {
                if (cookies.AsSpan(cookie).Trim().SequenceEqual(Cookie)) return false;
            }
        }
        return true;
    }

    public static async Task WriteAsync(IngressRequest request, string domain)
    {
        var headers = request.Response.Headers;
        var body = Encoding.UTF8.GetBytes(Html(request, domain));
        headers.ContentType = "text/html; charset=utf-8";
        headers.ContentLength = body.Length;
        headers.CacheControl = "no-store";
        headers.SetCookie = CookieFields;
        // Nobody shows it in a frame of a page of theirs, where the next click would pass it by.
        headers.XFrameOptions = "DENY";
        headers["X-Robots-Tag"] = "noindex";
        headers["X-Request-ID"] = request.RequestId;
        await request.Body.Writer.WriteAsync(body);
    }

    // Two slashes at the start of a link lead to another host; behind a dot they are part of the path.
    private static string Link(string target) => target.StartsWith("//", StringComparison.Ordinal) ? "/." + target : target;

    private static string Html(IngressRequest request, string domain) =>
        $$"""
        <!doctype html><html lang="en"><meta charset="utf-8"><title>Before you go on</title><meta name="viewport" content="width=device-width">
        <style>{{ErrorPages.Style}}a.on{display:inline-block;padding:.5rem 1.2rem;border-radius:.4rem;background:#246;color:#fff;text-decoration:none}</style>
        <h1>Before you go on</h1>
        <p><b>{{WebUtility.HtmlEncode(request.TryGetHost(out var host) ? host : "")}}</b> is a tunnel: what you will see comes from somebody's own machine, not from {{WebUtility.HtmlEncode(domain)}}.</p>
        <p>Go on if you know who gave you this address. Do not give it passwords, or anything else that you use elsewhere.</p>
        <p><a class="on" href="{{WebUtility.HtmlEncode(Link(request.Target))}}" rel="nofollow">Go on</a></p>
        <small>request {{WebUtility.HtmlEncode(request.RequestId)}}{{ReportLink.Html(request)}}</small></html>
        """;
}
