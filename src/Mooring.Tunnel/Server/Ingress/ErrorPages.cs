using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>What a visitor sees when no application answers: HTML for browsers, JSON for programs that want it, else text; always with the request id.</summary>
internal static class ErrorPages
{
    public static async Task WriteAsync(IngressRequest request, int status, string reason, int? retryAfter = null, string? challenge = null)
    {
        var response = request.Response;
        if (response.HasStarted) return;
        var title = Title(status);
        var (type, text) = request.Accepts("text/html") ? ("text/html; charset=utf-8", Html(status, title, reason, request))
            : request.Accepts("json") ? ("application/json", Json(status, title, reason, request.RequestId))
            : ("text/plain; charset=utf-8", $"{status} {title}\n{reason}\nrequest {request.RequestId}\n");
        var body = Encoding.UTF8.GetBytes(text);
        // Of an answer that turned out to be no good, nothing stays.
        response.Headers.Clear();
        response.StatusCode = status;
        response.Headers.ContentType = type;
        response.Headers.ContentLength = body.Length;
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Request-ID"] = request.RequestId;
        if (retryAfter is { } seconds) response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        if (challenge is not null) response.Headers.WWWAuthenticate = challenge;
        if (!request.IsHead) await request.Body.Writer.WriteAsync(body);
    }

    private static string Title(int status) => status switch
    {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Tunnel not found",
        408 => "Request Timeout",
        410 => "Gone",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        508 => "Loop Detected",
        _ => "Error",
    };

    /// <summary>How pages of the server look.</summary>
    internal const string Style =
        "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:15vh auto;padding:0 1rem;color:#223}h1{font-weight:600}small{color:#667}";

    private static string Html(int status, string title, string reason, IngressRequest request) =>
        $$"""
        <!doctype html><html lang="en"><meta charset="utf-8"><title>{{status}} {{title}}</title>
        <style>{{Style}}</style>
        <h1>{{status}} {{title}}</h1><p>{{WebUtility.HtmlEncode(reason)}}</p><small>request {{WebUtility.HtmlEncode(request.RequestId)}}{{ReportLink.Html(request)}}</small></html>
        """;

    private static string Json(int status, string title, string reason, string requestId)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteNumber("status", status);
            writer.WriteString("title", title);
            writer.WriteString("detail", reason);
            writer.WriteString("request_id", requestId);
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }
}
