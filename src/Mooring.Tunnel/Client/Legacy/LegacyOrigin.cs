using System.Net;
using System.Text;
using Mooring.Tunnel.Client.Streams;
using Mooring.Tunnel.Protocol.GenerationA;

namespace Mooring.Tunnel.Client.Legacy;

/// <summary>One whole request to the application and its whole answer, as generation A wants them.</summary>
internal static class LegacyOrigin
{
    /// <summary>What fits a message, with room for the head.</summary>
    private const int BodyBytesMax = 10 * 1024 * 1024;

    private static readonly string[] s_dropped = ["host", "connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-connection", "content-length"];

    /// <summary>Asks; a failure is an answer too, because a visitor waits for one.</summary>
    public static async Task<ProxyResponse> AskAsync(ClientTunnel tunnel, ProxyRequest request)
    {
        try
        {
            using var message = new HttpRequestMessage(
                new HttpMethod(request.Method), $"http://{tunnel.Pool.Origin.Authority}{request.Path}{(request.Query.Length > 0 ? "?" + request.Query : "")}")
            {
                Version = HttpVersion.Version11,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = request.Body.IsEmpty ? null : new ReadOnlyMemoryContent(request.Body),
            };
            foreach (var (name, value) in request.Headers)
            {
                if (s_dropped.Contains(name, StringComparer.OrdinalIgnoreCase)) continue;
                if (!message.Headers.TryAddWithoutValidation(name, value)) message.Content?.Headers.TryAddWithoutValidation(name, value);
            }
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
            return new ProxyResponse(502, [new("Content-Type", "text/plain; charset=utf-8")], Encoding.UTF8.GetBytes($"502 Bad Gateway\n{exception.InnerException?.Message ?? exception.Message}\n"));
        }
    }
}
