namespace Mooring.Tunnel.Links;

/// <summary>
/// Carries bytes of one stream from the link to their target. The link's reading loop appends while it works through what was read, then
/// calls <see cref="Kick"/>: what gathered is written there and then, without another thread, as long as the target takes it.
/// </summary>
internal sealed class StreamOutlet(IOutletOwner owner, ByteBudget budget)
{
    private const int KeptBytes = 16 * 1024;

    private readonly Lock _gate = new();
    private Stream? _target;
    private PooledBytes _filling = new(KeptBytes);
    private PooledBytes _writing = new(KeptBytes);
    private int _payload;
    private bool _isWriting;
    private bool _isComplete;
    private bool _isDrained;
    private bool _isAbandoned;

    /// <summary>Everything that was appended has been written, and the end was told.</summary>
    public bool IsDrained
    {
        get { lock (_gate) return _isDrained; }
    }

    /// <summary>Bytes that the target has not taken yet.</summary>
    public int Waiting
    {
        get { lock (_gate) return _filling.Length + _writing.Length; }
    }

    /// <summary>Adds bytes, with others around them that are framing of the target's protocol; false when too many wait.</summary>
    public bool TryAppend(ReadOnlySpan<byte> payload, ReadOnlySpan<byte> before = default, ReadOnlySpan<byte> after = default)
    {
        lock (_gate)
        {
            if (_isComplete || _isAbandoned) return true;
            if (!budget.TryTake(before.Length + payload.Length + after.Length)) return false;
            _filling.Append(before);
            _filling.Append(payload);
            _filling.Append(after);
            _payload += payload.Length;
            return true;
        }
    }

    /// <summary>Nothing more comes; the owner hears when all is written.</summary>
    public void Complete()
    {
        lock (_gate) _isComplete = true;
    }

    /// <summary>Nothing more is written.</summary>
    public void Abandon()
    {
        lock (_gate)
        {
            _isAbandoned = true;
            if (!_isWriting) Release();
        }
    }

    /// <summary>Says where bytes go from now on, and sends what came before.</summary>
    public void Open(Stream target)
    {
        lock (_gate) _target = target;
        Kick();
    }

    /// <summary>Writes what gathered, unless a write is under way that will go on with it.</summary>
    public void Kick()
    {
        lock (_gate)
        {
            if (_target is null || _isWriting || _isAbandoned || (_filling.Length == 0 && (!_isComplete || _isDrained))) return;
            _isWriting = true;
        }
        _ = WriteAsync(_target);
    }

    private async Task WriteAsync(Stream target)
    {
        while (TryTake(out var payload))
        {
            try
            {
                await target.WriteAsync(_writing.Memory);
                await target.FlushAsync();
            }
            catch (Exception exception) when (exception is IOException or ObjectDisposedException or OperationCanceledException)
            {
                lock (_gate)
                {
                    (_isWriting, _isAbandoned) = (false, true);
                    Release();
                }
                owner.OnOutletBroken();
                return;
            }
            owner.OnWritten(payload);
        }
    }

    private bool TryTake(out int payload)
    {
        lock (_gate)
        {
            budget.Return(_writing.Length);
            _writing.Clear();
            payload = _payload;
            if (!_isAbandoned && _filling.Length > 0)
            {
                _payload = 0;
                (_filling, _writing) = (_writing, _filling);
                return true;
            }
            _isWriting = false;
            if (_isAbandoned) Release();
            if (_isAbandoned || !_isComplete || _isDrained) return false;
            _isDrained = true;
        }
        owner.OnDrained();
        return false;
    }

    // Under the gate: an array that is given back twice would be two owners'.
    private void Release()
    {
        budget.Return(_filling.Length + _writing.Length);
        _filling.Dispose();
        _writing.Dispose();
    }
}
