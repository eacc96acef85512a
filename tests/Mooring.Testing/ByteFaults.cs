namespace Mooring.Testing;

/// <summary>What goes wrong with the bytes of one direction. Positions count from the first byte of the direction.</summary>
public sealed class ByteFaults
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, byte> _corrupt = [];
    private readonly TaskCompletionSource _stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _resumed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long? _cutAfter;
    private long? _stallAfter;
    private int? _chunk;
    private long _passed;

    /// <summary>Bytes that went through.</summary>
    public long Passed => Interlocked.Read(ref _passed);

    /// <summary>Ends when the direction has stopped to stall.</summary>
    public Task Stalled => _stalled.Task;

    /// <summary>Lets this many bytes through, then breaks both directions, as a reset connection does.</summary>
    public ByteFaults CutAfter(long bytes)
    {
        lock (_lock) _cutAfter = bytes;
        return this;
    }

    /// <summary>Lets this many bytes through, then none until <see cref="Resume"/>: a peer that hangs, or half-open TCP.</summary>
    public ByteFaults StallAfter(long bytes)
    {
        lock (_lock) _stallAfter = bytes;
        return this;
    }

    /// <summary>Changes the byte at a position.</summary>
    public ByteFaults CorruptAt(long position, byte mask = 0xFF)
    {
        lock (_lock) _corrupt[position] = mask;
        return this;
    }

    /// <summary>Hands bytes on in pieces of at most this size, so that the reader sees every cut.</summary>
    public ByteFaults InPiecesOf(int bytes)
    {
        lock (_lock) _chunk = bytes;
        return this;
    }

    /// <summary>Ends a stall.</summary>
    public void Resume()
    {
        TaskCompletionSource resumed;
        lock (_lock)
        {
            _stallAfter = null;
            resumed = _resumed;
            _resumed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        resumed.TrySetResult();
    }

    /// <summary>One fault somewhere in the first <paramref name="length"/> bytes, the same for the same seed.</summary>
    public static ByteFaults FromSeed(int seed, long length)
    {
        var random = new Random(seed);
        var at = random.NextInt64(Math.Max(length, 1));
        var faults = new ByteFaults().InPiecesOf(random.Next(1, 64));
        return random.Next(3) switch
        {
            0 => faults.CutAfter(at),
            1 => faults.CorruptAt(at, (byte)random.Next(1, 256)),
            _ => faults.CorruptAt(at, (byte)(1 << random.Next(8))).CutAfter(random.NextInt64(Math.Max(length, 1))),
        };
    }

    /// <summary>How many of the waiting bytes may pass now, or what to do instead.</summary>
    internal (int Bytes, bool Cut, Task? Stall) Next(int available)
    {
        lock (_lock)
        {
            if (_cutAfter <= _passed) return (0, true, null);
            if (_stallAfter <= _passed)
            {
                _stalled.TrySetResult();
                return (0, false, _resumed.Task);
            }
            long allowed = Math.Min(available, _chunk ?? available);
            if (_cutAfter is { } cut) allowed = Math.Min(allowed, cut - _passed);
            if (_stallAfter is { } stall) allowed = Math.Min(allowed, stall - _passed);
            return ((int)allowed, false, null);
        }
    }

    internal void Pass(Span<byte> bytes)
    {
        lock (_lock)
        {
            if (_corrupt.Count > 0)
                for (var i = 0; i < bytes.Length; i++)
                    if (_corrupt.TryGetValue(_passed + i, out var mask)) bytes[i] ^= mask;
            Interlocked.Add(ref _passed, bytes.Length);
        }
    }
}
