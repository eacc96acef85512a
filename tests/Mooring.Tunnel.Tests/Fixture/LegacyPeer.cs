using System.Buffers;
using System.Net.WebSockets;
using System.Text;
using Mooring.Tunnel.Protocol.GenerationA;

namespace Mooring.Tunnel.Tests.Fixture;

/// <summary>A client of generation A that speaks exactly as those that exist, over a WebSocket implementation that is not Mooring's.</summary>
internal sealed class LegacyPeer(TunnelHost host, CancellationToken timeout) : IDisposable
{
    private const string ProposedId = "client-abcdefghijkm";

    private readonly ClientWebSocket _control = new();

    /// <summary>The id that the server gave.</summary>
    public string Id { get; private set; } = "";

    public int? CloseCode => (int?)_control.CloseStatus;

    public static async Task<LegacyPeer> LogInAsync(TunnelHost host, string token, CancellationToken timeout, string id = ProposedId)
    {
        var peer = await DialAsync(host, timeout);
        var answer = await peer.AuthenticateAsync(token, id);
        Assert.True(string.IsNullOrEmpty(answer.Error), answer.Error);
        peer.Id = answer.ClientId!;
        return peer;
    }

    public static async Task<LegacyPeer> DialAsync(TunnelHost host, CancellationToken timeout)
    {
        var peer = new LegacyPeer(host, timeout);
        await peer._control.ConnectAsync(new Uri($"ws://{host.Address}/api/v1/ws/tunnel"), timeout);
        return peer;
    }

    public async Task<ControlMessage.AuthResp> AuthenticateAsync(string token, string id = ProposedId)
    {
        await SendAsync(new ControlMessage.Auth(id, "linux", "x86_64", "2.3.40", "2.3", token, ""));
        return Assert.IsType<ControlMessage.AuthResp>(await ReceiveAsync());
    }

    public Task SendAsync(ControlMessage message) => SendAsync(_control, message);

    public Task<ControlMessage> ReceiveAsync() => ReceiveAsync(_control);

    /// <summary>Asks for a tunnel; what the server answers.</summary>
    public async Task<ControlMessage> TryAskAsync(string name, string auth = "", string protocol = "http", int remotePort = 0)
    {
        await SendAsync(new ControlMessage.ReqTunnel("req-1", protocol, "", name, auth, remotePort));
        while (true)
        {
            if (await ReceiveAsync() is var message and not ControlMessage.ReqProxy) return message;
        }
    }

    public async Task<ControlMessage.NewTunnel> AskAsync(string name, string auth = "") => Assert.IsType<ControlMessage.NewTunnel>(await TryAskAsync(name, auth));

    /// <summary>Reads until the server closes.</summary>
    public async Task UntilClosedAsync()
    {
        try
        {
            while (true) await ReceiveAsync();
        }
        catch (Exception exception) when (exception is IOException or WebSocketException)
        {
            // Closed, or cut.
        }
    }

    /// <summary>Opens a proxy connection and answers requests on it, one after another, until an answer is null.</summary>
    public async Task ServeAsync(Func<ProxyRequest, ProxyResponse?> answer)
    {
        using var proxy = new ClientWebSocket();
        await proxy.ConnectAsync(new Uri($"ws://{host.Address}/api/v1/ws/proxy"), timeout);
        await SendAsync(proxy, new ControlMessage.RegProxy(Id));
        Assert.IsType<ControlMessage.StartProxy>(await ReceiveAsync(proxy));
        while (true)
        {
            var request = ProxyCodec.ReadRequest(Assert.IsType<ControlMessage.Proxy>(await ReceiveAsync(proxy)).Content);
            if (answer(request) is not { } response) return;
            await SendAsync(proxy, new ControlMessage.Proxy(ProxyCodec.Write(response)));
        }
    }

    /// <summary>Opens a proxy connection that serves nothing; done when the server has closed it.</summary>
    public async Task IdleAsync()
    {
        using var proxy = new ClientWebSocket();
        await proxy.ConnectAsync(new Uri($"ws://{host.Address}/api/v1/ws/proxy"), timeout);
        await SendAsync(proxy, new ControlMessage.RegProxy(Id));
        while ((await proxy.ReceiveAsync(new byte[100].AsMemory(), timeout)).MessageType != WebSocketMessageType.Close)
        {
        }
    }

    public static ProxyResponse Text(int status, string body, params (string Name, string Value)[] headers) =>
        new(status, [.. headers.Select(h => new KeyValuePair<string, string>(h.Name, h.Value))], Encoding.UTF8.GetBytes(body));

    public void Dispose() => _control.Dispose();

    private Task SendAsync(ClientWebSocket socket, ControlMessage message)
    {
        var output = new ArrayBufferWriter<byte>();
        ControlCodec.Write(output, message);
        return socket.SendAsync(output.WrittenMemory, WebSocketMessageType.Binary, true, timeout).AsTask();
    }

    private async Task<ControlMessage> ReceiveAsync(ClientWebSocket socket)
    {
        var all = new MemoryStream();
        var buffer = new byte[64 * 1024];
        ValueWebSocketReceiveResult part;
        do
        {
            part = await socket.ReceiveAsync(buffer.AsMemory(), timeout);
            if (part.MessageType == WebSocketMessageType.Close) throw new IOException($"closed {socket.CloseStatus}");
            all.Write(buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        return ControlCodec.Read(all.ToArray());
    }
}
