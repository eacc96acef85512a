using System.Buffers.Binary;
using System.Security.Cryptography;
using Mooring.Mqtt.Broker.Connections;

namespace Mooring.Mqtt.Broker.Persistence;

/// <summary>
/// The append-only log of everything that must survive. Records gather in memory and are written together, at the latest when
/// output that depends on them is about to leave: a turn of the I/O thread costs one write, whatever it acknowledges.
/// </summary>
/// <remarks>
/// Locks: a session's or an output's, then <see cref="_commitGate"/>, then <see cref="_gate"/> or <see cref="_waitersGate"/>; nothing else is locked inside.
/// </remarks>
internal sealed partial class Journal : IOutputGate, IDisposable
{
    /// <summary>Room for the records that step over the bound, so that the buffer need not grow for them.</summary>
    private const int SlackBytes = 64 * 1024;

    private readonly MqttStorageOptions _options;
    private readonly Lock _gate = new();
    private readonly Lock _commitGate = new();
    private readonly Lock _flushGate = new();
    private readonly Lock _waitersGate = new();
    private readonly List<IConnectionOutput> _waiters = [];
    private readonly SemaphoreSlim _wanted = new(0);
    private readonly Thread? _flusher;
    private readonly uint _salt = BinaryPrimitives.ReadUInt32LittleEndian(RandomNumberGenerator.GetBytes(4));
    private readonly long _wallClockOrigin;
    private readonly List<Segment> _full = [];
    private byte[] _pending;
    private byte[] _spare;
    private int _pendingLength;
    private long _appended;
    private long _kept;
    private long _segmentNumber;
    private long _checkpointStart;
    private Segment? _segment;
    private int _epoch;
    private int _baseEpoch;
    private long _messages;
    private int _sessions;
    private volatile bool _isFailed = true;
    private volatile bool _isWritable;
    private volatile bool _isRecovering;
    private volatile bool _isStopping;

    /// <summary>Nothing is written before the first <see cref="BeginCheckpoint"/>.</summary>
    /// <param name="options">Where and how.</param>
    /// <param name="lastSegment">Number of the last file that is there.</param>
    /// <param name="lastSession">Number of the last session that is known.</param>
    /// <param name="lastMessage">Number of the last message that is known.</param>
    /// <param name="wallClockOrigin">Milliseconds of UTC at which the broker's clock was zero: on disk, times are wall-clock times.</param>
    internal Journal(MqttStorageOptions options, long lastSegment, int lastSession, long lastMessage, long wallClockOrigin)
    {
        _sessions = lastSession;
        _messages = lastMessage;
        _options = options;
        _segmentNumber = lastSegment;
        _wallClockOrigin = wallClockOrigin;
        _pending = new byte[options.PendingBytes + SlackBytes];
        _spare = new byte[options.PendingBytes + SlackBytes];
        if (options.Durability == MqttDurability.Power)
        {
            _flusher = new Thread(FlushWhenWanted) { IsBackground = true, Name = "mqtt-journal" };
            _flusher.Start();
        }
    }

    /// <summary>Everything appended so far.</summary>
    internal long Position => Volatile.Read(ref _appended);

    /// <inheritdoc/>
    public long Kept => Volatile.Read(ref _kept);

    /// <summary>The disk is full or broken: nothing new can be promised until a checkpoint has succeeded.</summary>
    internal bool IsFailed => _isFailed;

    /// <summary>Records are taken: nothing has failed, or a checkpoint is under way that is to mend it.</summary>
    internal bool IsWritable => _isWritable;

    /// <summary>Why, in the words of the operating system.</summary>
    internal string? Failure { get; private set; }

    /// <summary>Sessions that were last written whole before this epoch must be written whole before anything else is said of them.</summary>
    internal int BaseEpoch => Volatile.Read(ref _baseEpoch);

    internal int Epoch => Volatile.Read(ref _epoch);

    /// <summary>Bytes since the last checkpoint began.</summary>
    internal long BytesSinceCheckpoint => Position - Volatile.Read(ref _checkpointStart);

    /// <inheritdoc/>
    public Passage TryPass(long position, IConnectionOutput output)
    {
        if (position <= Kept)
        {
            return Passage.Open;
        }

        // With the lock: another thread may be writing just this.
        lock (_commitGate)
        {
            if (_flusher is null)
            {
                Commit_NeedsCommitGate();
            }

            lock (_waitersGate)
            {
                if (position <= Kept)
                {
                    return Passage.Open;
                }

                if (!_isRecovering && (_isFailed || _flusher is null))
                {
                    return Passage.Never;
                }

                _waiters.Add(output);
            }
        }

        _wanted.Release();
        return Passage.Later;
    }

    /// <summary>Writes what has gathered. A failure is remembered, not thrown.</summary>
    internal void Commit()
    {
        if (Volatile.Read(ref _pendingLength) == 0)
        {
            return;
        }

        lock (_commitGate)
        {
            Commit_NeedsCommitGate();
        }
    }

    /// <summary>As <see cref="Commit"/>, and to the disk itself.</summary>
    internal void Flush()
    {
        lock (_flushGate)
        {
            Segment[] full;
            Segment? current;
            long written;
            lock (_commitGate)
            {
                written = Commit_NeedsCommitGate();
                full = [.. _full];
                _full.Clear();
                current = _segment;
            }

            try
            {
                foreach (var segment in full)
                {
                    segment.FlushToDisk();
                    segment.Dispose();
                }

                current?.FlushToDisk();
                Advance(written);
            }
            catch (IOException error)
            {
                Fail(error);
            }
        }

        ReleaseWaiters();
    }

    public void Dispose()
    {
        _isStopping = true;
        _wanted.Release();
        _flusher?.Join();
        if (!_isFailed)
        {
            Flush();
        }

        // A connection that is still closing records into the void.
        _isFailed = true;
        _isWritable = false;
        _full.ForEach(segment => segment.Dispose());
        _segment?.Dispose();
        _wanted.Dispose();
    }

    /// <summary>Position that is written when it returns.</summary>
    private long Commit_NeedsCommitGate()
    {
        byte[] batch;
        int length;
        long position;
        lock (_gate)
        {
            if (!_isWritable)
            {
                return 0;
            }

            (batch, length, position) = (_pending, _pendingLength, _appended);
            (_pending, _spare) = (_spare, _pending);
            _pendingLength = 0;
        }

        if (length > 0)
        {
            try
            {
                _segment!.Append(batch.AsSpan(0, length));
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                Fail(error);
                return 0;
            }
        }

        if (_flusher is null)
        {
            Advance(position);
        }

        // One record may be as large as a packet; the memory for it is not kept.
        if (batch.Length > _options.PendingBytes + SlackBytes)
        {
            _spare = new byte[_options.PendingBytes + SlackBytes];
        }

        if (_segment!.Length >= _options.SegmentBytes)
        {
            Begin_NeedsCommitGate();
        }

        return position;
    }

    /// <summary>Goes on in a new file.</summary>
    private bool Begin_NeedsCommitGate()
    {
        try
        {
            var next = Segment.Create(_options.Folder, _segmentNumber + 1, _salt, _options.SegmentBytes);
            _segmentNumber++;
            if (_segment is not null)
            {
                // Not flushed here: whoever writes waits for memory only.
                _full.Add(_segment);
            }

            _segment = next;
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Fail(error);
            return false;
        }
    }

    private void Advance(long position)
    {
        // What was missed while nothing could be written has a position too. It is kept when all that lives is.
        if (_isRecovering)
        {
            return;
        }

        lock (_waitersGate)
        {
            Volatile.Write(ref _kept, Math.Max(_kept, position));
        }
    }

    /// <summary>Whoever needs more than is kept now asks again.</summary>
    private void ReleaseWaiters()
    {
        IConnectionOutput[] released;
        lock (_waitersGate)
        {
            released = [.. _waiters];
            _waiters.Clear();
        }

        foreach (var output in released)
        {
            output.OnPassage();
        }
    }

    private void Fail(Exception error)
    {
        lock (_gate)
        {
            _isFailed = true;
            _isWritable = false;
            _isRecovering = false;
            Failure = error.Message;
            _pendingLength = 0;
        }

        // Outputs that wait are told by the flusher, or by whoever makes the checkpoint, outside all locks.
        if (_flusher is not null)
        {
            _wanted.Release();
        }
    }

    private long ToWallClock(long? brokerTime) => brokerTime is { } time ? time + _wallClockOrigin : 0;

    private void FlushWhenWanted()
    {
        while (!_isStopping)
        {
            _wanted.Wait();
            // One flush serves everyone who asked before it began.
            while (_wanted.Wait(0))
            {
            }

            Flush();
        }
    }
}
