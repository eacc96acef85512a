using Microsoft.AspNetCore.Http;
using Mooring.Chat.Rooms;
using Mooring.Kernel.Metrics;

namespace Mooring.Chat.Http;

/// <summary>What is not about chatting: the page, the description, health and metrics.</summary>
internal sealed class ChatPages(ChatServer server, ChatHub hub, IReadOnlyList<ApiEndpoint> api)
{
    // The page needs nothing from elsewhere, and nothing that a message says can become a script.
    private const string PagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

    internal IReadOnlyList<ApiEndpoint> Endpoints()
    {
        List<ApiEndpoint> endpoints =
        [
            new("GET", "/", "The page for browsers; name and version for everybody else.", Root) { Access = ApiAccess.Public },
            new("GET", "/chat.js", "Program of the page.", request => File(request, "chat.js", "text/javascript")) { Access = ApiAccess.Public },
            new("GET", "/chat.css", "Style of the page.", request => File(request, "chat.css", "text/css")) { Access = ApiAccess.Public },
            new("GET", "/docs", "This description for people.", request => File(request, "docs.html", "text/html")) { Access = ApiAccess.Public },
            new("GET", "/docs.js", "Program of the description.", request => File(request, "docs.js", "text/javascript")) { Access = ApiAccess.Public },
            new("GET", "/openapi.json", "This description.", OpenApi) { Access = ApiAccess.Public },
            new("GET", "/health/live", "Whether the process lives.", static _ => new(Health(true, "live"))) { Access = ApiAccess.Public },
            new("GET", "/health/ready", "Whether clients may come.", _ => new(Health(server.IsReady, server.IsReady ? "ready" : "not ready"))) { Access = ApiAccess.Public },
        ];
        if (hub.Options.MetricsEnabled) endpoints.Add(new("GET", "/metrics", "Metrics in the text format of Prometheus.", Metrics) { Access = ApiAccess.Public });
        return endpoints;
    }

    private ValueTask<ApiAnswer> Root(ApiRequest request)
    {
        request.Context.Response.Headers.Vary = "Accept";
        if (request.Context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase))
            return File(request, "index.html", "text/html");
        return new(ApiAnswer.Ok(static json =>
        {
            json.WriteStartObject();
            json.WriteString("message", "Chat Server API");
            json.WriteString("version", "1.0.0");
            json.WriteEndObject();
        }));
    }

    private static async ValueTask<ApiAnswer> File(ApiRequest request, string name, string contentType)
    {
        var response = request.Context.Response;
        response.ContentType = $"{contentType}; charset=utf-8";
        response.Headers.ContentSecurityPolicy = PagePolicy;
        response.Headers.CacheControl = "no-cache";
        response.Headers["Referrer-Policy"] = "no-referrer";
        await using var file = typeof(ChatPages).Assembly.GetManifestResourceStream($"Mooring.Chat.Http.Page.{name}")!;
        await file.CopyToAsync(response.Body, request.Aborted).ConfigureAwait(false);
        return ApiAnswer.Sent;
    }

    private ValueTask<ApiAnswer> OpenApi(ApiRequest request) => new(ApiAnswer.Ok(json => OpenApiDocument.Write(json, [.. api, .. Endpoints()])));

    private static ApiAnswer Health(bool isGood, string text) => new(isGood ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, json =>
    {
        json.WriteStartObject();
        json.WriteString("status", text);
        json.WriteEndObject();
    });

    private async ValueTask<ApiAnswer> Metrics(ApiRequest request)
    {
        var response = request.Context.Response;
        response.ContentType = PrometheusExporter.ContentType;
        server.Metrics.WriteTo(response.BodyWriter);
        await response.BodyWriter.FlushAsync(request.Aborted).ConfigureAwait(false);
        return ApiAnswer.Sent;
    }
}
