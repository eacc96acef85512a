using System.Net;
using System.Text;
using Mooring.Tunnel.Client.Streams;
using Mooring.Tunnel.Protocol.GenerationA;
using Mooring.Tunnel.Protocol.Http;

namespace Mooring.Tunnel.Client.Legacy;

/// <summary>One whole request to the application and its whole answer, as generation A wants them.</summary>
internal static class LegacyOrigin
{
    /// <summary>What fits a message, with room for the head.</summary>
    private const int BodyBytesMax = 10 * 1024 * 1024;

    private static readonly string[] s_dropped = ["host", "connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-connection", "content-length"];

    /// <summary>The target reaches the application as the visitor wrote it; what may not stand in one is refused before.</summary>
    private static readonly UriCreationOptions s_verbatim = new() { DangerousDisablePathAndQueryCanonicalization = true };

    /// <summary>Asks; a failure is an answer too, because a visitor waits for one.</summary>
    public static async Task<ProxyResponse> AskAsync(ClientTunnel tunnel, ProxyRequest request)
    {
        if (!IsAllowed(request)) return Failed(400, "Bad Request", "the request has a part that HTTP does not allow");
        try
        {
            using var message = Message(tunnel, request);
            using var response = await tunnel.Http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead);
            await response.Content.LoadIntoBufferAsync(BodyBytesMax);
            var body = await response.Content.ReadAsByteArrayAsync();
            var headers = new List<KeyValuePair<string, string>>();
            foreach (var (name, values) in response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated))
            {
                if (s_dropped.Contains(name, StringComparer.OrdinalIgnoreCase)) continue;
                var value = string.Join(", ", values);
                if (name.Equals("location", StringComparison.OrdinalIgnoreCase)) value = RedirectTarget.Rewrite(Encoding.Latin1.GetBytes(value), tunnel) ?? value;
                headers.Add(new(name, value));
            }
            headers.Add(new("Content-Length", (request.Method == "HEAD" ? response.Content.Headers.ContentLength ?? 0 : body.Length).ToString(System.Globalization.CultureInfo.InvariantCulture)));
            return new ProxyResponse((int)response.StatusCode, headers, body);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException or UriFormatException or FormatException)
        {
            return Failed(502, "Bad Gateway", exception.InnerException?.Message ?? exception.Message);
        }
    }

    private static HttpRequestMessage Message(ClientTunnel tunnel, ProxyRequest request)
    {
        var target = request.Query.Length > 0 ? $"{request.Path}?{request.Query}" : request.Path;
        var message = new HttpRequestMessage(new HttpMethod(request.Method), new Uri($"http://{tunnel.Pool.Origin.Authority}{target}", s_verbatim))
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = request.Body.IsEmpty ? null : new ReadOnlyMemoryContent(request.Body),
        };
        foreach (var (name, value) in request.Headers)
        {
            if (name.Equals("host", StringComparison.OrdinalIgnoreCase) && tunnel.Definition.HostHeader == "preserve") message.Headers.Host = value;
            if (s_dropped.Contains(name, StringComparer.OrdinalIgnoreCase)) continue;
            if (!message.Headers.TryAddWithoutValidation(name, value)) message.Content?.Headers.TryAddWithoutValidation(name, value);
        }
        if (tunnel.Definition.HostHeader is { } host and not "preserve") message.Headers.Host = host;
        return message;
    }

    // What would make two requests of one, or lead somewhere else.
    private static bool IsAllowed(ProxyRequest request) =>
        HttpField.IsToken(Encoding.UTF8.GetBytes(request.Method)) && request.Path.StartsWith('/')
        && request.Path.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0 && request.Query.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0
        && request.Headers.All(field => HttpField.IsToken(Encoding.UTF8.GetBytes(field.Key)) && HttpField.IsValue(Encoding.UTF8.GetBytes(field.Value)));

    private static ProxyResponse Failed(int status, string title, string reason) =>
        new(status, [new("Content-Type", "text/plain; charset=utf-8")], Encoding.UTF8.GetBytes($"{status} {title}\n{reason}\n"));
}
