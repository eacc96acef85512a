using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Server.Accounts;
using Mooring.Tunnel.Server.Sessions;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>One TCP connection of a visitor; each direction ends by itself when the client knows half-close.</summary>
internal sealed class TcpVisitor : VisitorStream, IOutletOwner
{
    /// <summary>One chunk of the wire.</summary>
    private const int BufferBytes = Protocol.WireLimits.ChunkBytes;

    private readonly Socket _socket;
    private readonly IPEndPoint _visitor;
    private readonly NetworkStream _stream;
    private readonly StreamOutlet _outlet;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TcpVisitor(StreamSession session, TunnelBinding binding, TcpVisit visit)
        : base(session, binding)
    {
        (_socket, _visitor) = (visit.Socket, visit.Visitor);
        _stream = new NetworkStream(_socket, ownsSocket: true);
        _outlet = new StreamOutlet(this, Frames.Waiting);
    }

    public override int Waiting => _outlet.Waiting;

    public async Task RunAsync()
    {
        if (!Session.TryAdd(this))
        {
            await _stream.DisposeAsync();
            return;
        }
        try
        {
            Open();
            _outlet.Open(_stream);
            await PumpAsync();
            if (!IsEnded) await _drained.Task;
            if (!TryEnd()) return;
            Frames.EnqueueClose(Id);
            Frames.Link.Flush();
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or SocketException)
        {
            TryReset("the visitor reset the connection");
        }
        finally
        {
            // What is on its way to the visitor still leaves after an orderly end.
            if (_drained.Task.IsCompleted || IsReset) await _stream.DisposeAsync();
            _outlet.Abandon();
            Session.Forget(this);
        }
    }

    public override void OnData(in FrameView frame)
    {
        if (frame.Credit > 0) Credit?.Add(frame.Credit);
        if (!frame.Bytes.IsEmpty)
        {
            Touch();
            var taken = Binding.TakeOut(frame.Bytes.Length);
            if (!_outlet.TryAppend(frame.Bytes[..taken])) GiveUp("the visitor reads too slowly");
            else if (taken < frame.Bytes.Length) GiveUp(AccountUsage.CutForTheDay);
        }
        if (frame.IsEnd) _outlet.Complete();
    }

    public override void OnBatchEnd() => _outlet.Kick();

    public override void OnClose(int code, string reason)
    {
        TryEnd();
        _outlet.Complete();
    }

    public override void OnReset(string reason)
    {
        TryEnd();
        Cut();
    }

    public override void Tick()
    {
        if (IsIdleFor(Session.Limits.ConnectionIdleTimeout)) GiveUp("nothing was said for too long");
    }

    void IOutletOwner.OnWritten(int payloadBytes) => Consumed(payloadBytes);

    void IOutletOwner.OnDrained()
    {
        try
        {
            if (IsEnded) _stream.Dispose();
            else _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The visitor was faster.
        }
        _drained.TrySetResult();
    }

    void IOutletOwner.OnOutletBroken() => GiveUp("the visitor reset the connection");

    private bool IsReset { get; set; }

    private void GiveUp(string reason)
    {
        TryReset(reason);
        Cut();
    }

    // A reset, so that the visitor cannot take what it got for all there is.
    private void Cut()
    {
        IsReset = true;
        _outlet.Abandon();
        _drained.TrySetResult();
        try
        {
            _socket.LingerState = new LingerOption(enable: true, seconds: 0);
            // Not the stream, which would shut down in good order first.
            _socket.Dispose();
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Closed already.
        }
        _stream.Dispose();
    }

    private void Open()
    {
        var isMeta = Frames.Has(Capabilities.Metadata);
        Session.Open(new StreamOpening
        {
            StreamId = Id,
            TunnelId = Binding.NameUtf8,
            Mode = StreamMode.Tcp,
            Window = Window,
            ClientAddress = isMeta ? Encoding.ASCII.GetBytes(_visitor.ToString()) : default,
        });
    }

    private async Task PumpAsync()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (true)
            {
                var count = await _stream.ReadAsync(buffer.AsMemory(0, BufferBytes));
                if (count == 0) break;
                Touch();
                var taken = Binding.TakeIn(count);
                if (!await Frames.SendAsync(Id, Credit, buffer.AsMemory(0, taken))) return;
                Frames.Link.Flush();
                if (taken < count) GiveUp(AccountUsage.CutForTheDay);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        if (IsEnded) return;
        if (Frames.Has(Capabilities.HalfClose))
        {
            Frames.EnqueueData(Id, [], isEnd: true);
            Frames.Link.Flush();
        }
        else if (TryEnd())
        {
            Frames.EnqueueClose(Id);
            Frames.Link.Flush();
            _outlet.Complete();
            _outlet.Kick();
        }
    }
}
