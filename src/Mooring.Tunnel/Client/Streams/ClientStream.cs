using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.GenerationB;

namespace Mooring.Tunnel.Client.Streams;

/// <summary>
/// One stream that the server opened. The On… methods are called by the link's reading loop and never wait; the exchange itself is
/// <see cref="RunAsync"/>, one straight line.
/// </summary>
internal abstract class ClientStream
{
    private int _ended;

    protected ClientStream(ClientSession session, ClientTunnel tunnel, in FrameView open)
    {
        Session = session;
        Tunnel = tunnel;
        Id = open.StreamId;
        RequestId = FrameView.Text(open.RequestId);
        Ledger = new CreditLedger(session.Frames, Id, 0);
        Started = session.Time.GetTimestamp();
        if (!session.Frames.Has(Capabilities.Windows)) return;
        Window = open.Window > 0 ? (int)Math.Min(open.Window, int.MaxValue) : WireLimits.StreamWindowBytes;
        Ledger = new CreditLedger(session.Frames, Id, Window);
        Credit = new SendCredit();
        Credit.Reset(Window);
    }

    public long Id { get; }

    protected ClientSession Session { get; }

    protected ClientTunnel Tunnel { get; }

    protected string RequestId { get; }

    protected long Started { get; }

    protected FrameLink Frames => Session.Frames;

    /// <summary>What this stream may send; null without windows.</summary>
    protected SendCredit? Credit { get; }

    /// <summary>Bytes that each direction may send ahead; 0 without windows.</summary>
    protected int Window { get; }

    /// <summary>What the server may send again.</summary>
    protected CreditLedger Ledger;

    protected bool IsEnded => Volatile.Read(ref _ended) != 0;

    /// <summary>Begins the exchange, on the reading loop; it may do what does not wait there.</summary>
    public void Start() => _ = RunAsync();

    public abstract void OnData(in FrameView frame);

    /// <summary>The reading loop has given all it had.</summary>
    public virtual void OnBatchEnd()
    {
    }

    public abstract void OnClose(in FrameView frame);

    /// <summary>The visitor is gone, or the connection to the server.</summary>
    public abstract void OnReset(string reason);

    protected abstract Task RunAsync();

    /// <summary>The first to call it decides how the stream ends; it is forgotten by the session.</summary>
    protected bool TryEnd()
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0) return false;
        Credit?.End();
        Session.Forget(this);
        return true;
    }

    protected void EndWithClose(int code = 0, string? reason = null)
    {
        if (!TryEnd()) return;
        Frames.EnqueueClose(Id, code, reason);
        Frames.Link.Flush();
    }

    protected void EndWithReset(string reason)
    {
        if (!TryEnd()) return;
        Frames.EnqueueReset(Id, reason);
        Frames.Link.Flush();
    }
}
