using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Mooring.Edge.Agent.Engine;

/// <summary>
/// A thin client of the container engine's HTTP API over its Unix socket: one method for each call that the agent makes, no state
/// but the negotiated version. Every method throws <see cref="EngineException"/> when the engine refuses or cannot be reached.
/// </summary>
internal sealed partial class EngineClient : IDisposable
{
    private readonly EngineClientOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;
    private EngineVersion? _version;

    /// <summary>Makes a client; nothing is sent before the first call.</summary>
    /// <param name="options">Socket and bounds.</param>
    /// <param name="time">Clock of the time-outs.</param>
    public EngineClient(EngineClientOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = ConnectAsync,
            ConnectTimeout = options.ConnectTimeout,
            MaxConnectionsPerServer = options.MaxConnections,
            // An engine that is restarted leaves dead connections behind; a local one is made anew in microseconds.
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(10),
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
        };
        // The host is never resolved: the callback connects to the socket whatever it says.
        _http = new HttpClient(handler) { BaseAddress = new Uri("http://engine/"), Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>The socket, for messages to people.</summary>
    public string SocketPath => _options.SocketPath;

    /// <summary>The version that is spoken: the newest that both ends know. Asked for once; <see cref="ForgetVersion"/> asks again.</summary>
    /// <exception cref="EngineException">the engine cannot be reached, or is older than <see cref="EngineVersion.Oldest"/></exception>
    public async ValueTask<EngineVersion> NegotiateAsync(CancellationToken cancellationToken)
    {
        if (_version is { } known) return known;
        var identity = await SendAsync(HttpMethod.Get, "version", EngineJson.Default.EngineIdentity, cancellationToken).ConfigureAwait(false);
        if (!EngineVersion.TryParse(identity.ApiVersion, out var newest) || newest < EngineVersion.Oldest)
            throw new EngineException(HttpStatusCode.HttpVersionNotSupported,
                $"the engine at {SocketPath} speaks API {identity.ApiVersion}; {EngineVersion.Oldest} or newer is needed");
        var version = newest < EngineVersion.Newest ? newest : EngineVersion.Newest;
        _version = version;
        return version;
    }

    /// <summary>The engine may be another one now: ask it again what it speaks.</summary>
    public void ForgetVersion() => _version = null;

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(_options.SocketPath), cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<T> SendVersionedAsync<T>(HttpMethod method, string path, JsonTypeInfo<T> answer, CancellationToken cancellationToken) =>
        await SendAsync(method, await VersionedAsync(path, cancellationToken).ConfigureAwait(false), answer, cancellationToken).ConfigureAwait(false);

    private async Task<T> SendAsync<T>(HttpMethod method, string path, JsonTypeInfo<T> answer, CancellationToken cancellationToken)
    {
        var bytes = await SendBytesAsync(method, path, content: null, TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
        return Parse(bytes, answer, path);
    }

    private async Task<T> PostAsync<TBody, T>(
        string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> answer, CancellationToken cancellationToken)
    {
        var versioned = await VersionedAsync(path, cancellationToken).ConfigureAwait(false);
        var bytes = await SendBytesAsync(HttpMethod.Post, versioned, Json(body, bodyType), TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
        return Parse(bytes, answer, path);
    }

    private async Task PostAsync<TBody>(string path, TBody body, JsonTypeInfo<TBody> bodyType, CancellationToken cancellationToken)
    {
        var versioned = await VersionedAsync(path, cancellationToken).ConfigureAwait(false);
        await SendBytesAsync(HttpMethod.Post, versioned, Json(body, bodyType), TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
    }

    private async Task SendVersionedAsync(HttpMethod method, string path, TimeSpan extraTime, CancellationToken cancellationToken)
    {
        var versioned = await VersionedAsync(path, cancellationToken).ConfigureAwait(false);
        await SendBytesAsync(method, versioned, content: null, extraTime, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<string> VersionedAsync(string path, CancellationToken cancellationToken) =>
        $"v{await NegotiateAsync(cancellationToken).ConfigureAwait(false)}/{path}";

    private async Task<byte[]> SendBytesAsync(
        HttpMethod method, string path, HttpContent? content, TimeSpan extraTime, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(_options.RequestTimeout + extraTime, _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        using var request = new HttpRequestMessage(method, path) { Content = content };
        try
        {
            using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, linked.Token).ConfigureAwait(false);
            await answer.Content.LoadIntoBufferAsync(_options.MaxAnswerBytes, linked.Token).ConfigureAwait(false);
            var bytes = await answer.Content.ReadAsByteArrayAsync(linked.Token).ConfigureAwait(false);
            ThrowIfRefused(answer.StatusCode, bytes);
            return bytes;
        }
        catch (OperationCanceledException cause) when (!cancellationToken.IsCancellationRequested)
        {
            throw new EngineException(
                $"the engine at {SocketPath} did not answer {method} {path} within {(_options.RequestTimeout + extraTime).TotalSeconds} s", cause);
        }
        catch (Exception cause) when (cause is HttpRequestException or IOException)
        {
            throw Unreachable(cause);
        }
    }

    /// <summary>Opens an answer that goes on for as long as somebody reads.</summary>
    private async Task<HttpResponseMessage> OpenAsync(HttpMethod method, string path, CancellationToken cancellationToken)
    {
        var versioned = await VersionedAsync(path, cancellationToken).ConfigureAwait(false);
        using var request = new HttpRequestMessage(method, versioned);
        try
        {
            var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            if (answer.IsSuccessStatusCode) return answer;
            using (answer)
            {
                await answer.Content.LoadIntoBufferAsync(_options.MaxAnswerBytes, cancellationToken).ConfigureAwait(false);
                ThrowIfRefused(answer.StatusCode, await answer.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false));
                throw new EngineException(answer.StatusCode, $"the engine answered {(int)answer.StatusCode} to {method} {path}");
            }
        }
        catch (Exception cause) when (cause is HttpRequestException or IOException)
        {
            throw Unreachable(cause);
        }
    }

    private EngineException Unreachable(Exception cause) =>
        new($"no container engine answers at {SocketPath}: {(cause.InnerException ?? cause).Message}", cause);

    // 304 is the engine's word for "it is so already": stopping what does not run, starting what does.
    private static void ThrowIfRefused(HttpStatusCode status, byte[] body)
    {
        if ((int)status < 400) return;
        string? message = null;
        try
        {
            message = JsonSerializer.Deserialize(body, EngineStreamJson.Default.EngineError)?.Message;
        }
        catch (JsonException)
        {
            // Something between here and the engine answered: its status has to do.
        }
        throw new EngineException(status, message ?? $"the engine answered {(int)status} {status}");
    }

    private static T Parse<T>(byte[] bytes, JsonTypeInfo<T> type, string path)
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, type) ?? throw new JsonException("null");
        }
        catch (JsonException cause)
        {
            throw new EngineException($"the engine's answer to {path} cannot be read: {cause.Message}", cause);
        }
    }

    private static ByteArrayContent Json<T>(T body, JsonTypeInfo<T> type)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, type));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }

    private static string Escape(string part) => Uri.EscapeDataString(part);
}
