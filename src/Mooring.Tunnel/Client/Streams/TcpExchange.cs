using System.Net;
using System.Net.Sockets;
using Mooring.Kernel.Proxying;
using Mooring.Tunnel.Client.Origin;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol.GenerationB;

namespace Mooring.Tunnel.Client.Streams;

/// <summary>One TCP connection to the application; each direction ends by itself when the server knows half-close.</summary>
internal sealed class TcpExchange : ClientStream, IOutletOwner
{
    private readonly StreamOutlet _outlet;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IPEndPoint? _visitor;
    private OriginConnection? _connection;
    private bool _isCut;

    public TcpExchange(ClientSession session, ClientTunnel tunnel, in FrameView open)
        : base(session, tunnel, open)
    {
        _outlet = new StreamOutlet(this, Frames.Waiting);
        if (tunnel.Definition.ProxyProtocol is not null && IPEndPoint.TryParse(FrameView.Text(open.ClientAddress), out var visitor)) _visitor = visitor;
    }

    public override void OnData(in FrameView frame)
    {
        if (frame.Credit > 0) Credit?.Add(frame.Credit);
        if (!frame.Bytes.IsEmpty && !_outlet.TryAppend(frame.Bytes)) Fail("the application reads too slowly");
        if (frame.IsEnd) _outlet.Complete();
    }

    public override void OnBatchEnd() => _outlet.Kick();

    public override void OnClose(in FrameView frame)
    {
        // What came before it still has to reach the application.
        TryEnd();
        _outlet.Complete();
    }

    public override void OnReset(string reason)
    {
        if (TryEnd()) Cut();
    }

    void IOutletOwner.OnWritten(int payloadBytes)
    {
        Tunnel.Received(payloadBytes);
        Ledger.Consumed(payloadBytes);
    }

    void IOutletOwner.OnDrained()
    {
        _drained.TrySetResult();
        try
        {
            if (!IsEnded && _connection?.Stream is NetworkStream network) network.Socket.Shutdown(SocketShutdown.Send);
            else _connection?.Dispose();
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // It was closed by the other side first.
        }
    }

    void IOutletOwner.OnOutletBroken()
    {
        Fail("the application reset the connection");
    }

    protected override async Task RunAsync()
    {
        Tunnel.Count();
        var status = 0;
        try
        {
            _connection = await Tunnel.Pool.ConnectAsync(CancellationToken.None);
            status = 200;
            // The visitor may have gone while the application was dialled.
            if (Interlocked.CompareExchange(ref _isCut, false, false)) return;
            if (Tunnel.Definition.ProxyProtocol is { } version) await _connection.Stream.WriteAsync(Introduce(version, _connection.Stream));
            _outlet.Open(_connection.Stream);
            await PumpOutAsync(_connection);
            if (!IsEnded) await _drained.Task;
            EndWithClose();
        }
        catch (OriginException exception)
        {
            EndWithReset(exception.Message);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            Fail("the application reset the connection");
        }
        finally
        {
            TryEnd();
            _outlet.Abandon();
            _connection?.Release();
            Tunnel.Observed?.Invoke(new ObservedRequest("TCP", $":{Tunnel.Definition.LocalPort}", status, Session.Time.GetElapsedTime(Started), RequestId));
        }
    }

    // Where the visitor came in is not told by the server; the application's own address stands for it.
    private byte[] Introduce(int version, Stream origin)
    {
        var application = (origin as NetworkStream)?.Socket.RemoteEndPoint as IPEndPoint;
        if (_visitor is null || application is null || _visitor.AddressFamily == application.AddressFamily)
            return ProxyHeaderWriter.Write(version, new ProxyHeader(_visitor, application));
        return ProxyHeaderWriter.Write(
            version,
            new ProxyHeader(
                new IPEndPoint(_visitor.Address.MapToIPv6(), _visitor.Port), new IPEndPoint(application.Address.MapToIPv6(), application.Port)));
    }

    private async Task PumpOutAsync(OriginConnection connection)
    {
        while (await connection.FillAsync())
        {
            var bytes = connection.Unread;
            Tunnel.Sent(bytes.Length);
            if (!await Frames.SendAsync(Id, Credit, bytes)) return;
            connection.Use(bytes.Length);
            Frames.Link.Flush();
        }
        if (IsEnded) return;
        if (!Frames.Has(Capabilities.HalfClose))
        {
            EndWithClose();
            return;
        }
        Frames.EnqueueData(Id, [], isEnd: true);
        Frames.Link.Flush();
    }

    private void Fail(string reason)
    {
        EndWithReset(reason);
        Cut();
    }

    private void Cut()
    {
        Interlocked.Exchange(ref _isCut, true);
        _outlet.Abandon();
        _drained.TrySetResult();
        _connection?.Cut();
    }
}
