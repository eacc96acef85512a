namespace Mooring.Tunnel.Links;

/// <summary>Gathers what was consumed of a stream and tells the sender when it is a quarter of its window.</summary>
internal struct CreditLedger(FrameLink frames, long streamId, int window)
{
    private int _owed;

    /// <summary>Books consumed bytes; called by one party at a time.</summary>
    public void Consumed(int bytes)
    {
        if (window == 0) return;
        _owed += bytes;
        if (_owed < window / 4) return;
        frames.EnqueueData(streamId, [], credit: _owed);
        frames.Link.Flush();
        _owed = 0;
    }
}
