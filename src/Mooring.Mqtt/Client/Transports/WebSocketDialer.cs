using System.Net.WebSockets;
using Mooring.Kernel.Tls;

namespace Mooring.Mqtt.Client.Transports;

/// <summary>WebSocket with the subprotocol <c>mqtt</c> (MQTT-6), over TLS where the address says so.</summary>
internal sealed class WebSocketDialer(MqttClientOptions options, ReloadableCertificate? tls) : IDialer
{
    private const string Subprotocol = "mqtt";

    private readonly Uri _address = options.Server.AbsolutePath is "/" or ""
        ? new UriBuilder(options.Server) { Path = "/mqtt" }.Uri
        : options.Server;

    public async ValueTask<ClientTransport> DialAsync(CancellationToken cancellationToken)
    {
        tls?.ReloadIfChanged();
        var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };
        if (tls is not null) handler.SslOptions = tls.Current.ClientOptions(options.TlsServerName ?? options.Server.IdnHost);
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
        catch (WebSocketException e)
        {
            socket.Dispose();
            throw new IOException(e.InnerException is { } inner ? $"{e.Message} ({inner.Message})" : e.Message, e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        return new ClientTransport(
            new WebSocketByteStream(socket),
            async token => await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, token).ConfigureAwait(false));
    }

    public void Dispose() => tls?.Dispose();
}
