using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol.GenerationB;

namespace Mooring.Tunnel.Server.Sessions;

/// <summary>One stream of a session at the server: a visitor's request or connection. The On… methods are called by the session's reading loop.</summary>
internal abstract class VisitorStream
{
    private int _ended;
    private CreditLedger _ledger;

    protected VisitorStream(StreamSession session, TunnelBinding binding)
    {
        Session = session;
        Binding = binding;
        Id = session.NextStreamId();
        LastActivity = session.Time.GetTimestamp();
        var window = session.Frames.Has(Capabilities.Windows) ? session.Limits.StreamWindowBytes : 0;
        _ledger = new CreditLedger(session.Frames, Id, window);
        if (window == 0) return;
        Window = window;
        Credit = new SendCredit();
        Credit.Reset(window);
    }

    public long Id { get; }

    protected StreamSession Session { get; }

    protected TunnelBinding Binding { get; }

    protected FrameLink Frames => Session.Frames;

    /// <summary>What may be sent to the client; null without windows.</summary>
    protected SendCredit? Credit { get; }

    protected int Window { get; }

    /// <summary>When a byte last moved.</summary>
    protected long LastActivity { get; private set; }

    /// <summary>Nothing more comes from the client; what it sent may still be on its way to the visitor.</summary>
    public bool IsEnded => Volatile.Read(ref _ended) != 0;

    /// <summary>Already among those that want <see cref="OnBatchEnd"/>.</summary>
    public bool IsTouched { get; set; }

    /// <summary>Bytes that wait for the visitor.</summary>
    public virtual int Waiting => 0;

    public abstract void OnData(in FrameView frame);

    public abstract void OnClose(int code, string reason);

    /// <summary>The client failed, or its connection was lost.</summary>
    public abstract void OnReset(string reason);

    public virtual void OnBatchEnd()
    {
    }

    /// <summary>Checks time-outs.</summary>
    public abstract void Tick();

    protected void Touch() => LastActivity = Session.Time.GetTimestamp();

    protected bool IsIdleFor(TimeSpan limit) => Session.Time.GetElapsedTime(LastActivity) > limit;

    protected void Consumed(int bytes) => _ledger.Consumed(bytes);

    /// <summary>The first to call it decides how the stream ends.</summary>
    protected bool TryEnd()
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0) return false;
        Credit?.End();
        return true;
    }

    /// <summary>Ends the stream for the client too.</summary>
    protected bool TryReset(string reason)
    {
        if (!TryEnd()) return false;
        Frames.EnqueueReset(Id, reason);
        Frames.Link.Flush();
        return true;
    }
}
