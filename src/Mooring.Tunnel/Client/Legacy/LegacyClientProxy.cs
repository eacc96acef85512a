using System.Buffers;
using System.Threading.Channels;
using Mooring.Tunnel.Client.Origin;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.GenerationA;

namespace Mooring.Tunnel.Client.Legacy;

/// <summary>A proxy connection at the client: requests one after another, or the bytes of one TCP connection.</summary>
internal sealed class LegacyClientProxy(LegacyClientSession session, WebSocketLink link, TimeProvider time) : ILinkReceiver, IOutletOwner
{
    private const int BufferBytes = 64 * 1024;

    // Strictly one after another; a server that sends ahead has to wait.
    private readonly Channel<ProxyRequest> _requests = Channel.CreateBounded<ProxyRequest>(16);
    private ClientTunnel? _tunnel;
    private StreamOutlet? _outlet;
    private Stream? _local;

    public async Task RunAsync()
    {
        Send(new ControlMessage.RegProxy(session.ClientId));
        var serving = ServeAsync();
        await link.RunAsync(this);
        _requests.Writer.TryComplete();
        _outlet?.Complete();
        _outlet?.Kick();
        await serving;
    }

    void ILinkReceiver.OnMessage(ReadOnlySpan<byte> message)
    {
        if (_outlet is { } outlet)
        {
            if (!outlet.TryAppend(message)) link.Abort("the application reads too slowly");
            return;
        }
        switch (ControlCodec.Read(message))
        {
            case ControlMessage.StartProxy start when _tunnel is null:
                _tunnel = session.Find(start.Url ?? "") ?? throw new TunnelProtocolException(TunnelProtocolError.OutOfRange, "no such tunnel");
                if (_tunnel.Definition.Protocol != TunnelProtocol.Tcp) break;
                _outlet = new StreamOutlet(this, new ByteBudget(link.Limits.WaitingBytesMax));
                _ = CopyAsync(_tunnel, _outlet);
                break;
            case ControlMessage.Proxy proxy when _tunnel is not null:
                if (!_requests.Writer.TryWrite(ProxyCodec.ReadRequest(proxy.Content))) throw new TunnelProtocolException(TunnelProtocolError.TooLarge, "too many requests at once");
                break;
        }
    }

    ValueTask ILinkReceiver.OnBatchEndAsync()
    {
        _outlet?.Kick();
        return ValueTask.CompletedTask;
    }

    void IOutletOwner.OnWritten(int payloadBytes) => _tunnel!.Received(payloadBytes);

    void IOutletOwner.OnDrained() => _local?.Dispose();

    void IOutletOwner.OnOutletBroken() => link.Abort("the application closed");

    private async Task ServeAsync()
    {
        await foreach (var request in _requests.Reader.ReadAllAsync())
        {
            var tunnel = _tunnel!;
            var started = time.GetTimestamp();
            tunnel.Count();
            tunnel.Received(request.Body.Length);
            var response = await LegacyOrigin.AskAsync(tunnel, request);
            tunnel.Sent(response.Body.Length);
            Send(new ControlMessage.Proxy(ProxyCodec.Write(response)));
            tunnel.Observed?.Invoke(new ObservedRequest(
                request.Method, request.Query.Length > 0 ? $"{request.Path}?{request.Query}" : request.Path, response.Status, time.GetElapsedTime(started), ""));
        }
    }

    private async Task CopyAsync(ClientTunnel tunnel, StreamOutlet outlet)
    {
        tunnel.Count();
        try
        {
            await using var local = await tunnel.Pool.Origin.ConnectAsync(CancellationToken.None);
            _local = local;
            outlet.Open(local);
            var buffer = new byte[BufferBytes];
            while (await local.ReadAsync(buffer) is var count and > 0)
            {
                tunnel.Sent(count);
                link.Send(buffer.AsSpan(0, count));
                if (link.IsCrowded) await link.WaitForRoomAsync();
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or OriginException)
        {
            // Both directions end together in this generation.
        }
        outlet.Abandon();
        await link.CloseAsync(CloseCodes.Normal, "");
    }

    private void Send(ControlMessage message)
    {
        var output = new ArrayBufferWriter<byte>(256);
        ControlCodec.Write(output, message);
        link.Send(output.WrittenSpan);
    }
}
