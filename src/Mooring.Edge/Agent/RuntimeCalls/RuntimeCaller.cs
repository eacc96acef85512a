using System.Collections.Concurrent;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.Engine;

namespace Mooring.Edge.Agent.RuntimeCalls;

/// <summary>Calls the REST APIs of runtimes, on their private networks, with bounds for everything.</summary>
internal sealed class RuntimeCaller : IDisposable
{
    /// <summary>Longest wait for a connection; it is never farther than a virtual cable.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    private readonly HttpClient _http;
    private readonly RuntimePins? _pins;
    private readonly ConcurrentDictionary<string, int> _running = new(StringComparer.Ordinal);
    private readonly AgentOptions _options;
    private readonly TimeProvider _time;

    /// <summary>Calls runtimes.</summary>
    /// <param name="options">The bounds.</param>
    /// <param name="time">Ends calls that take too long.</param>
    /// <param name="pins">The certificates that runtimes are known by; null accepts any.</param>
    public RuntimeCaller(AgentOptions options, TimeProvider time, RuntimePins? pins = null)
    {
        _options = options;
        _time = time;
        _pins = pins;
        // A runtime signs its own certificate when it is first started, and nobody else is on its private network.
        _http = Client((_, _, _, _) => true);
    }

    /// <summary>Makes a call.</summary>
    /// <param name="device">The device, for counting.</param>
    /// <param name="address">Its address.</param>
    /// <param name="call">The call.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Status and response in the shape that hubs know. Never throws for what a runtime does.</returns>
    public async Task<JsonObject> CallAsync(string device, string address, RuntimeCall call, CancellationToken cancellationToken)
    {
        // Upper case only, and these four, as with earlier agents.
        if (call.Method is not ("GET" or "POST" or "PUT" or "DELETE"))
            return Failed(400, $"method {call.Method} is not supported: GET, POST, PUT, DELETE");
        if (_running.AddOrUpdate(device, 1, (_, count) => count + 1) > _options.MaxCommandsPerDevice)
        {
            Leave(device);
            return Failed(429, $"{_options.MaxCommandsPerDevice} commands for {device} are running already");
        }
        try
        {
            return await SendAsync(device, address, call, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Leave(device);
        }
    }

    /// <summary>What a connection to a device's runtime is let in by.</summary>
    /// <returns>It, for one connection; null when any certificate is accepted, or the port has none.</returns>
    /// <exception cref="EngineException">it is not known which container the device has</exception>
    /// <exception cref="DeviceException">the device has no container</exception>
    public async Task<RuntimePin?> PinAsync(string device, int port, CancellationToken cancellationToken) =>
        _pins is null || port != RuntimeCall.SecurePort ? null : await _pins.ExpectAsync(device, cancellationToken).ConfigureAwait(false);

    /// <summary>A response that is made up because there is none.</summary>
    public static JsonObject Failed(int status, string error) => Answer("error", new JsonObject
    {
        ["status_code"] = status,
        ["headers"] = new JsonObject(),
        ["body"] = new JsonObject { ["error"] = error },
        ["ok"] = false,
        ["content_type"] = "application/json",
    });

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<JsonObject> SendAsync(string device, string address, RuntimeCall call, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(call.Timeout, _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        RuntimePin? pin = null;
        try
        {
            pin = await PinAsync(device, call.Port, linked.Token).ConfigureAwait(false);
            // A connection of its own: one that is kept could reach, or outlive, another container at the same address.
            using var pinned = pin is null ? null : Client(pin.Accepts);
            using var request = RuntimeCallBody.ToRequest(call, address);
            using var response = await (pinned ?? _http).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, linked.Token).ConfigureAwait(false);
            var body = await ReadAsync(response, linked.Token).ConfigureAwait(false);
            return Answer((int)response.StatusCode < 400 && body is not null ? "success" : "error", ResponseOf(response, body));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Failed(504, $"the runtime did not answer within {call.Timeout.TotalSeconds} s");
        }
        catch (HttpRequestException) when (pin?.Refusal is not null)
        {
            return Failed(502, pin.Refusal);
        }
        catch (Exception e) when (e is EngineException or DeviceException)
        {
            return Failed(502, $"the certificate of {device} cannot be looked at: {e.Message}");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException or UriFormatException or InvalidOperationException or FormatException)
        {
            return Failed(500, (e.InnerException ?? e).Message);
        }
    }

    private HttpClient Client(RemoteCertificateValidationCallback accepts) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        ConnectTimeout = ConnectTimeout,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        MaxConnectionsPerServer = _options.MaxCommandsPerDevice,
        SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = accepts },
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <returns>The body; null when it is longer than allowed.</returns>
    private async Task<byte[]?> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var limit = _options.MaxCommandAnswerBytes;
        if (response.Content.Headers.ContentLength > limit) return null;
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        int count;
        while ((count = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            if (body.Length + count > limit) return null;
            body.Write(buffer, 0, count);
        }
        return body.ToArray();
    }

    private JsonObject ResponseOf(HttpResponseMessage response, byte[]? body)
    {
        var headers = new JsonObject();
        foreach (var (name, values) in response.Headers.Concat(response.Content.Headers)) headers[name] = values.Last();
        var told = new JsonObject { ["status_code"] = (int)response.StatusCode, ["headers"] = headers, ["ok"] = response.IsSuccessStatusCode || (int)response.StatusCode < 400 };
        if (body is null)
        {
            told["body_truncated"] = true;
            told["error"] = $"the answer is longer than {_options.MaxCommandAnswerBytes} bytes";
            return told;
        }
        AddBody(told, body, response.Content.Headers.ContentType?.MediaType);
        return told;
    }

    private static void AddBody(JsonObject told, byte[] body, string? mediaType)
    {
        if (TryJson(body, out var json))
        {
            (told["body"], told["content_type"]) = (json, "application/json");
            return;
        }
        told["content_type"] = "text/plain";
        if (IsText(body, mediaType))
        {
            told["body"] = Encoding.UTF8.GetString(body);
            return;
        }
        told["body"] = Convert.ToBase64String(body);
        told["body_encoding"] = "base64";
    }

    private static bool TryJson(byte[] body, out JsonNode? json)
    {
        json = null;
        try
        {
            json = JsonNode.Parse(body);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    // What calls itself text is read as text, whatever its bytes; what does not must at least be writable as such.
    private static bool IsText(byte[] body, string? mediaType) =>
        mediaType?.StartsWith("text/", StringComparison.OrdinalIgnoreCase) == true
        || (System.Text.Unicode.Utf8.IsValid(body) && !body.AsSpan().Contains((byte)0));

    private static JsonObject Answer(string status, JsonObject response) => new() { ["status"] = status, ["http_response"] = response };

    private void Leave(string device)
    {
        // The entry goes with the last call, so that names of devices do not pile up.
        var left = _running.AddOrUpdate(device, 0, (_, count) => count - 1);
        if (left == 0) _running.TryRemove(new KeyValuePair<string, int>(device, 0));
    }
}
