using System.Net.WebSockets;

namespace Mooring.Mqtt.Client.Transports;

/// <summary>WebSocket with the subprotocol <c>mqtt</c> (MQTT-6) over a line that another dialer opens.</summary>
internal sealed class WebSocketDialer(MqttClientOptions options, SocketDialer line) : IDialer
{
    private const string Subprotocol = "mqtt";

    // The line is encrypted already where it must be. HttpClient's own TLS would not verify the name that the options give.
    private readonly Uri _address = new UriBuilder(options.Server)
    {
        Scheme = "ws",
        Port = options.Server.Port,
        Path = options.Server.AbsolutePath is "/" or "" ? "/mqtt" : options.Server.AbsolutePath,
    }.Uri;

    public async ValueTask<ClientTransport> DialAsync(CancellationToken cancellationToken)
    {
        var under = await line.DialAsync(cancellationToken).ConfigureAwait(false);
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            ConnectCallback = (_, _) => new ValueTask<Stream>(under.Stream),
        };
        // The socket keeps its connection; the invoker is needed for the request only.
        using var invoker = new HttpMessageInvoker(handler, disposeHandler: true);
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol(Subprotocol);
        // MQTT has its own.
        socket.Options.KeepAliveInterval = TimeSpan.Zero;
        foreach (var (name, value) in options.WebSocketHeaders) socket.Options.SetRequestHeader(name, value);
        try
        {
            await socket.ConnectAsync(_address, invoker, cancellationToken).ConfigureAwait(false);
            if (socket.SubProtocol != Subprotocol) throw new IOException($"the WebSocket server does not speak '{Subprotocol}'");
        }
        catch (Exception e)
        {
            socket.Dispose();
            await under.DisposeAsync().ConfigureAwait(false);
            if (e is not WebSocketException) throw;
            throw new IOException(e.InnerException is { } inner ? $"{e.Message} ({inner.Message})" : e.Message, e);
        }
        return new ClientTransport(
            new WebSocketByteStream(socket),
            async token => await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, token).ConfigureAwait(false));
    }

    public void Dispose() => line.Dispose();
}
