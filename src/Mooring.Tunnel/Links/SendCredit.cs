using System.Threading.Tasks.Sources;

namespace Mooring.Tunnel.Links;

/// <summary>Bytes that one direction of a stream may still send. One producer takes; the link's reading loop adds.</summary>
internal sealed class SendCredit : IValueTaskSource<int>
{
    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<int> _source = new() { RunContinuationsAsynchronously = true };
    private long _left;
    private int _wanted;
    private bool _isEnded;

    /// <summary>Starts anew with this many bytes.</summary>
    public void Reset(long bytes)
    {
        lock (_gate) (_left, _isEnded, _wanted) = (bytes, false, 0);
    }

    /// <summary>Takes up to <paramref name="wanted"/> bytes, at least one; 0 when the stream has ended.</summary>
    public ValueTask<int> TakeAsync(int wanted)
    {
        lock (_gate)
        {
            if (_isEnded) return new ValueTask<int>(0);
            if (_left > 0) return new ValueTask<int>(Take(wanted));
            _wanted = wanted;
            _source.Reset();
            return new ValueTask<int>(this, _source.Version);
        }
    }

    /// <summary>The whole amount or nothing, at once.</summary>
    public bool TryTake(int bytes)
    {
        lock (_gate)
        {
            if (_isEnded || _left < bytes) return false;
            _left -= bytes;
            return true;
        }
    }

    /// <summary>Takes bytes that are sent whether there is credit or not: heads, which no peer waits with.</summary>
    public void Charge(int bytes)
    {
        lock (_gate) _left -= bytes;
    }

    public void Add(long bytes)
    {
        int taken;
        lock (_gate)
        {
            // A peer that gives without end gains nothing by it.
            _left = Math.Min(_left + bytes, uint.MaxValue);
            if (_wanted == 0 || _left <= 0) return;
            taken = Take(_wanted);
            _wanted = 0;
        }
        _source.SetResult(taken);
    }

    /// <summary>Lets a waiting producer go, with nothing.</summary>
    public void End()
    {
        lock (_gate)
        {
            _isEnded = true;
            if (_wanted == 0) return;
            _wanted = 0;
        }
        _source.SetResult(0);
    }

    int IValueTaskSource<int>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private int Take(int wanted)
    {
        var taken = (int)Math.Min(wanted, _left);
        _left -= taken;
        return taken;
    }
}
