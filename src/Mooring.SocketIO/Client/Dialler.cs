using System.Net;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Mooring.SocketIO.Codec;
using Mooring.SocketIO.Connections;

namespace Mooring.SocketIO.Client;

/// <summary>
/// Opens one connection: over a WebSocket, over polling, or over the one and then the other. Names are looked up and certificates
/// read anew by each dialler.
/// </summary>
internal sealed partial class Dialler : IDisposable
{
    // RFC 6455 1.3: a fixed text that no server would join to a key by chance.
    private const string KeySuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    private const int KeyBytes = 16;

    /// <summary>Of the body of a refusal only the beginning is looked at.</summary>
    private const int RefusalBytesMax = 4096;

    private readonly SocketIOClientOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly HttpMessageInvoker _http;
    private readonly Uri _address;

    public Dialler(SocketIOClientOptions options, TimeProvider time, ILogger logger)
    {
        (_options, _time, _logger) = (options, time, logger);
        _address = AddressOf(options);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.All,
            UseProxy = options.UsesProxy,
            ConnectTimeout = options.ConnectTimeout,
        };
        if (options.Tls is { } tls) handler.SslOptions = tls().ClientOptions(_address.IdnHost);
        if (!options.VerifiesServer) handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        if (options.AcceptsCertificate is { } accepts) handler.SslOptions.RemoteCertificateValidationCallback = accepts;
        _http = new HttpMessageInvoker(handler);
    }

    public async Task<(EngineIOHandshake Handshake, ICarrier Carrier)> OpenAsync(CancellationToken cancellationToken)
    {
        var mayPoll = _options.Transports.HasFlag(SocketIOTransports.Polling);
        if (_options.Transports.HasFlag(SocketIOTransports.WebSocket) && !(mayPoll && _options.PollingFirst))
        {
            try
            {
                return await OpenWebSocketAsync(cancellationToken);
            }
            catch (UpgradeRefusedException e) when (mayPoll && !e.IsAboutTheClient)
            {
                LogPolls(_logger, e.Message);
                return await OpenPollingAsync(mayUpgrade: false, cancellationToken);
            }
        }
        return await OpenPollingAsync(_options.Transports.HasFlag(SocketIOTransports.WebSocket), cancellationToken);
    }

    public void Dispose() => _http.Dispose();

    /// <summary>What went wrong, in the words that help: those of TLS are inside.</summary>
    public static string Explain(HttpRequestException e) => e.InnerException is AuthenticationException tls ? "TLS: " + tls.Message : e.Message;

    private async Task<(EngineIOHandshake, ICarrier)> OpenWebSocketAsync(CancellationToken cancellationToken)
    {
        var carrier = new WebSocketCarrier(await UpgradeAsync(null, cancellationToken), isServer: false, _options.Limits.PayloadBytesMax);
        try
        {
            if (await carrier.ReceiveOneAsync(cancellationToken) is not { } message) throw new IOException("the server closed at once");
            using var frame = message.Frame;
            if (message.IsBinary) throw new SocketIOProtocolException(SocketIOProtocolError.UnexpectedPacket, "no open packet came first");
            return (ReadOpen(frame.Span), carrier);
        }
        catch
        {
            carrier.Dispose();
            throw;
        }
    }

    private async Task<(EngineIOHandshake, ICarrier)> OpenPollingAsync(bool mayUpgrade, CancellationToken cancellationToken)
    {
        var polling = new PollingCarrier(_http, UriOf("polling", null), _options.Headers, _options.Limits.PayloadBytesMax);
        using var body = await polling.OpenAsync(cancellationToken);
        // More packets may come with the first one, but no server sends any before it was asked for something.
        var handshake = ReadOpen(body.Span);
        var uri = UriOf("polling", handshake.SessionId);
        polling = new PollingCarrier(_http, uri, _options.Headers, _options.Limits.PayloadBytesMax, handshake.MaxPayload);
        if (mayUpgrade && handshake.OffersWebSocket && await TakeOverAsync(handshake.SessionId, cancellationToken) is { } webSocket)
            return (handshake, webSocket);
        return (handshake, polling);
    }

    /// <summary>Moves the session to a WebSocket; null when that cannot be, then polling goes on.</summary>
    private async Task<WebSocketCarrier?> TakeOverAsync(string sessionId, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(_options.UpgradeTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        WebSocketCarrier? carrier = null;
        try
        {
            carrier = new WebSocketCarrier(await UpgradeAsync(sessionId, either.Token), isServer: false, _options.Limits.PayloadBytesMax);
            await carrier.SendAsync("2probe"u8.ToArray(), either.Token);
            if (await carrier.ReceiveOneAsync(either.Token) is { IsBinary: false } message)
            {
                using var frame = message.Frame;
                if (frame.Span.SequenceEqual("3probe"u8))
                {
                    await carrier.SendAsync("5"u8.ToArray(), either.Token);
                    return carrier;
                }
            }
            LogPolls(_logger, "the WebSocket did not answer the probe");
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested
            && e is IOException or WebSocketException or HttpRequestException or OperationCanceledException)
        {
            LogPolls(_logger, e.Message);
        }
        carrier?.Dispose();
        return null;
    }

    /// <summary>The opening handshake of RFC 6455. Done here because the framework's own hides the stream.</summary>
    private async Task<Stream> UpgradeAsync(string? sessionId, CancellationToken cancellationToken)
    {
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes));
        using var request = new HttpRequestMessage(HttpMethod.Get, UriOf("websocket", sessionId));
        foreach (var (name, value) in _options.Headers) request.Headers.TryAddWithoutValidation(name, value);
        request.Headers.Connection.Add("Upgrade");
        request.Headers.Upgrade.ParseAdd("websocket");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Key", key);
        var response = await _http.SendAsync(request, cancellationToken);
        if (response.StatusCode != HttpStatusCode.SwitchingProtocols)
        {
            using (response) throw new UpgradeRefusedException(response.StatusCode, await RefusalAsync(response, cancellationToken));
        }
        if (!response.Headers.TryGetValues("Sec-WebSocket-Accept", out var accepts) || accepts.FirstOrDefault() != AcceptOf(key))
        {
            using (response) throw new IOException("the answer to the WebSocket's key is wrong: this is no WebSocket server");
        }
        return await response.Content.ReadAsStreamAsync(cancellationToken);
    }

    /// <summary>What a refused request was told: servers answer with {"code":…,"message":"…"}.</summary>
    public static async Task<string> RefusalAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var status = $"the server answered {(int)response.StatusCode}";
        using var body = new ByteBuffer();
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        if (!await PollingBody.ReadAsync(stream, body, RefusalBytesMax, cancellationToken)) return status;
        try
        {
            var json = new Utf8JsonReader(body.Span);
            var answer = JsonElement.ParseValue(ref json);
            if (answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty("message", out var message) && message.ValueKind == JsonValueKind.String)
                return $"{status}: {message.GetString()}";
        }
        catch (JsonException)
        {
            // Some proxy's page: the status says enough.
        }
        return status;
    }

    private static EngineIOHandshake ReadOpen(ReadOnlySpan<byte> packet) =>
        EngineIOCodec.ReadPacket(packet) == EngineIOPacketType.Open
            ? EngineIOHandshake.Read(packet[1..])
            : throw new SocketIOProtocolException(SocketIOProtocolError.UnexpectedPacket, "no open packet came first");

    private static string AcceptOf(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + KeySuffix)));

    private static Uri AddressOf(SocketIOClientOptions options)
    {
        var scheme = options.Address.Scheme switch { "ws" => "http", "wss" => "https", var other => other };
        return new UriBuilder(options.Address) { Scheme = scheme, Port = options.Address.Port, Path = options.Path, Query = "", Fragment = "" }.Uri;
    }

    private Uri UriOf(string transport, string? sessionId) => new UriBuilder(_address)
    {
        Query = $"EIO=4&transport={transport}" + (sessionId is null ? "" : "&sid=" + Uri.EscapeDataString(sessionId)),
    }.Uri;

    [LoggerMessage(3540, LogLevel.Information, "No WebSocket ({Why}); polling instead")]
    private static partial void LogPolls(ILogger logger, string why);
}
