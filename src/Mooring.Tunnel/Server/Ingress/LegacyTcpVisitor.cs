using System.Net.Sockets;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Server.Accounts;
using Mooring.Tunnel.Server.Sessions;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>One TCP connection through a client of generation A: a proxy connection of its own, raw bytes, and the first end ends both.</summary>
internal sealed class LegacyTcpVisitor : LegacyProxy.IRawReceiver, IOutletOwner
{
    private const int BufferBytes = 64 * 1024;

    private readonly LegacySession _session;
    private readonly TunnelBinding _binding;
    private readonly NetworkStream _stream;
    private readonly string _visitor;
    private readonly StreamOutlet _outlet;
    private LegacyProxy? _proxy;

    public LegacyTcpVisitor(LegacySession session, TunnelBinding binding, TcpVisit visit)
    {
        (_session, _binding, _visitor) = (session, binding, visit.Visitor.ToString());
        _stream = new NetworkStream(visit.Socket, ownsSocket: true);
        _outlet = new StreamOutlet(this, new ByteBudget(session.Link.Limits.WaitingBytesMax));
    }

    public async Task RunAsync()
    {
        try
        {
            _proxy = await _session.TakeAsync(_binding, fresh: true);
            if (_proxy is null) return;
            _proxy.BecomeRaw(this);
            _proxy.Start(_binding, _visitor, "");
            _outlet.Open(_stream);
            var buffer = new byte[BufferBytes];
            while (await _stream.ReadAsync(buffer) is var count and > 0)
            {
                var taken = _binding.TakeIn(count);
                _proxy.Link.Send(buffer.AsSpan(0, taken));
                if (taken < count) CutForTheDay();
                if (_proxy.Link.IsCrowded) await _proxy.Link.WaitForRoomAsync();
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // Either side is gone; both ends follow.
        }
        finally
        {
            _proxy?.Close("the visitor is gone");
            _outlet.Abandon();
            await _stream.DisposeAsync();
        }
    }

    void LegacyProxy.IRawReceiver.OnBytes(ReadOnlySpan<byte> bytes)
    {
        var taken = _binding.TakeOut(bytes.Length);
        if (!_outlet.TryAppend(bytes[..taken])) _stream.Dispose();
        if (taken < bytes.Length) CutForTheDay();
    }

    void LegacyProxy.IRawReceiver.OnBatchEnd() => _outlet.Kick();

    void LegacyProxy.IRawReceiver.OnEnded()
    {
        _outlet.Complete();
        _outlet.Kick();
    }

    void IOutletOwner.OnWritten(int payloadBytes)
    {
    }

    void IOutletOwner.OnDrained() => _stream.Dispose();

    void IOutletOwner.OnOutletBroken() => _stream.Dispose();

    private void CutForTheDay()
    {
        _ = _proxy?.Link.CloseAsync(CloseCodes.Quota, AccountUsage.CutForTheDay);
        _stream.Dispose();
    }
}
