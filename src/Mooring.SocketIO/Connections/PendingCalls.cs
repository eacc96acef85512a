namespace Mooring.SocketIO.Connections;

/// <summary>Calls to one peer that wait for their acknowledgement.</summary>
internal sealed class PendingCalls(int callsMax, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, PendingCall> _calls = [];
    private long _nextId;
    private bool _closed;

    public int Count
    {
        get { lock (_lock) return _calls.Count; }
    }

    public PendingCall Begin(TimeSpan timeout, CancellationToken cancellationToken)
    {
        PendingCall call;
        lock (_lock)
        {
            if (_closed) throw new SocketIOCallException(SocketIOCallError.NotConnected, "not connected");
            if (_calls.Count >= callsMax)
                throw new SocketIOCallException(SocketIOCallError.TooManyCalls, $"{callsMax} calls wait for their acknowledgement already");
            call = new PendingCall(this, _nextId++);
            _calls.Add(call.Id, call);
        }
        call.Watch(timeout, time, cancellationToken);
        return call;
    }

    /// <summary>Ends a call with its acknowledgement.</summary>
    /// <returns>The call; null when it is no longer, or never was, waited for.</returns>
    public PendingCall? Take(long id)
    {
        lock (_lock) return _calls.Remove(id, out var call) ? call : null;
    }

    public void Close()
    {
        PendingCall[] left;
        lock (_lock)
        {
            _closed = true;
            left = [.. _calls.Values];
            _calls.Clear();
        }
        foreach (var call in left)
            call.Fail(new SocketIOCallException(SocketIOCallError.ConnectionLost, "the connection ended before the acknowledgement; the outcome is not known"));
    }
}
