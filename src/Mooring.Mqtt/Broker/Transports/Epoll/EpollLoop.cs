using System.Runtime.Versioning;
using Mooring.Kernel.Sockets;
using Mooring.Mqtt.Broker.Connections;

namespace Mooring.Mqtt.Broker.Transports.Epoll;

/// <summary>
/// One I/O thread. A turn: wait, read every ready socket once into one shared buffer, let the broker handle what was
/// read, then send once to every connection that was written to.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class EpollLoop : IDisposable
{
    private const int InitialSlots = 64;
    private const int HousekeepingMilliseconds = 50;
    private const int Forever = -1;

    // The loop whose thread this is.
    [ThreadStatic]
    private static EpollLoop? s_current;

    private readonly EpollOptions _options;
    private readonly TimeProvider _time;
    private readonly EpollSet _set;
    private readonly byte[] _buffer;
    private readonly byte* _pinned;
    private readonly Thread _thread;
    private readonly Lock _gate = new();
    private readonly Stack<int> _freeSlots = new(InitialSlots);
    private readonly FlushBatch _batch = new();
    private readonly List<EpollConnection> _dirty = new(InitialSlots);
    private readonly List<EpollConnection> _over = new(InitialSlots);
    private readonly List<EpollConnection> _closing = new(InitialSlots);
    private readonly List<EpollConnection> _newlyClosing = new(InitialSlots);
    private readonly List<EpollConnection> _resumed = new(InitialSlots);
    private EpollConnection?[] _slots = new EpollConnection?[InitialSlots];
    private int _usedSlots;
    private volatile bool _isStopping;
    private volatile bool _isAwake;
    private EpollAcceptor? _acceptor;
    private bool _accepts;

    internal EpollLoop(EpollOptions options, TimeProvider time, int number)
    {
        _options = options;
        _time = time;
        _set = new EpollSet(options.EventsPerTurn);
        _buffer = GC.AllocateUninitializedArray<byte>(options.ReadBytes * 2, pinned: true);
        _pinned = (byte*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(_buffer, 0);
        _thread = new Thread(Run) { IsBackground = true, Name = $"mqtt-io-{number}" };
    }

    /// <summary>See <see cref="EpollOptions.UnsentBytesToStopReading"/>.</summary>
    internal int UnsentBytesToStopReading => _options.UnsentBytesToStopReading;

    /// <summary>Told of an exception that left the broker's code; the connection concerned is over, the loop goes on.</summary>
    internal Action<EpollConnection, Exception>? Faulted { get; init; }

    internal int Connections
    {
        get
        {
            lock (_gate) return _usedSlots - _freeSlots.Count;
        }
    }

    /// <summary>Starts the thread; one loop of a transport also accepts.</summary>
    internal void Start(EpollAcceptor acceptor, bool accepts)
    {
        _acceptor = acceptor;
        _accepts = accepts;
        if (accepts) acceptor.Arm(_set);
        _thread.Start();
    }

    /// <summary>Gives a new connection to this loop. Any thread.</summary>
    internal void Add(EpollConnection connection)
    {
        lock (_gate)
        {
            if (!_freeSlots.TryPop(out var slot))
            {
                slot = _usedSlots++;
                if (slot == _slots.Length) Array.Resize(ref _slots, slot * 2);
            }
            connection.Slot = slot;
            _slots[slot] = connection;
        }
        connection.Join(_set);
    }

    internal void Modify(int descriptor, uint events, int slot) => _set.Modify(descriptor, events, (ulong)slot);

    /// <summary>
    /// Leaves the flush of <paramref name="connection"/> to the end of the present turn. False when there is none: then the caller sends
    /// sooner than this thread would wake up. Any thread.
    /// </summary>
    internal bool TryAddDirty(EpollConnection connection)
    {
        if (!_isAwake) return false;
        lock (_gate)
        {
            if (!_isAwake) return false;
            _dirty.Add(connection);
            return true;
        }
    }

    internal void AddClosing(EpollConnection connection) => Post(_newlyClosing, connection);

    internal void AddResumed(EpollConnection connection) => Post(_resumed, connection);

    /// <summary>Begins to stop: no more accepts, every connection closes within its deadline, then the thread ends.</summary>
    internal void BeginStop()
    {
        _isStopping = true;
        _set.Wake();
    }

    /// <summary>Waits for the thread; only a loop that was started has one to wait for.</summary>
    internal void Join()
    {
        if (_thread.ThreadState.HasFlag(ThreadState.Unstarted)) return;
        _thread.Join();
    }

    public void Dispose() => _set.Dispose();

    private void Post(List<EpollConnection> list, EpollConnection connection)
    {
        lock (_gate) list.Add(connection);
        if (s_current != this) _set.Wake();
    }

    private void Run()
    {
        s_current = this;
        _batch.Attach();
        var stopDeadline = long.MaxValue;
        while (true)
        {
            Turn();
            if (!_isStopping) continue;
            if (stopDeadline == long.MaxValue)
            {
                stopDeadline = Deadline(_options.CloseWithin);
                if (_accepts) _acceptor?.Stop(_set);
                foreach (var connection in Snapshot()) connection.Close();
            }
            if (Connections == 0 || _time.GetTimestamp() > stopDeadline) break;
        }
        foreach (var connection in Snapshot()) End(connection);
        EndTurn();
    }

    private void Turn()
    {
        var mustWatchClock = _closing.Count > 0 || _isStopping || (_accepts && _acceptor is { IsPaused: true });
        var ready = _set.Wait(FallsAsleep() ? (mustWatchClock ? HousekeepingMilliseconds : Forever) : 0);
        _isAwake = true;
        for (var i = 0; i < ready; i++)
        {
            var key = _set.Key(i);
            if (key == EpollSet.WakeKey) _set.ClearWake();
            else if (key == EpollAcceptor.Key) _acceptor?.Accept(_set);
            else if (_slots[key] is { } connection) Handle(connection, _set.Events(i));
        }
        TakePosted();
        if (_accepts && _acceptor is { IsPaused: true } acceptor) acceptor.ResumeWhenDue(_set);
        CutOverdue();
        EndTurn();
    }

    private void EndTurn()
    {
        _batch.Flush();
        foreach (var connection in _over)
        {
            connection.Release();
            lock (_gate)
            {
                _slots[connection.Slot] = null;
                _freeSlots.Push(connection.Slot);
            }
            _acceptor?.OnReleased();
        }
        _over.Clear();
    }

    private void Handle(EpollConnection connection, uint events)
    {
        if (connection.IsOver) return;
        if ((events & LibC.EventOut) != 0 && connection.OnWritable() && !connection.IsClosing) Drained(connection);
        if ((events & LibC.EventIn) != 0) Read(connection);
        else if ((events & (LibC.EventError | LibC.EventHangUp)) != 0) End(connection);
    }

    private void Read(EpollConnection connection)
    {
        var rest = connection.RestLength;
        var isLarge = rest > _options.ReadBytes;
        nint read;
        if (isLarge)
        {
            connection.GrowRest(_options.ReadBytes);
            fixed (byte* target = connection.Rest) read = connection.Receive(target + rest, _options.ReadBytes);
        }
        else
        {
            connection.Rest?.AsSpan(0, rest).CopyTo(_buffer);
            read = connection.Receive(_pinned + rest, _options.ReadBytes);
        }
        if (read <= 0)
        {
            if (read < 0 && LibC.LastError is LibC.ErrorTryAgain or LibC.ErrorInterrupted) return;
            End(connection);
            return;
        }
        // After our own close the rest of the input only has to be taken off the socket, or the kernel would send a reset.
        if (connection.IsClosing) return;
        Deliver(connection, isLarge ? connection.Rest! : _buffer, rest + (int)read);
    }

    // Whatever one connection makes the broker throw ends that connection and no other.
    private void Deliver(EpollConnection connection, byte[] bytes, int length)
    {
        try
        {
            var consumed = connection.Handler.OnReceived(bytes.AsMemory(0, length));
            connection.KeepRest(bytes.AsSpan(consumed, length - consumed));
        }
        catch (Exception exception)
        {
            Fail(connection, exception);
        }
    }

    private void Drained(EpollConnection connection)
    {
        try
        {
            connection.Handler.OnDrained();
        }
        catch (Exception exception)
        {
            Fail(connection, exception);
        }
    }

    private void Fail(EpollConnection connection, Exception exception)
    {
        Faulted?.Invoke(connection, exception);
        End(connection);
    }

    private void End(EpollConnection connection)
    {
        if (connection.IsOver) return;
        connection.IsOver = true;
        _over.Add(connection);
        try
        {
            connection.Handler.OnClosed();
        }
        catch (Exception exception)
        {
            Faulted?.Invoke(connection, exception);
        }
    }

    /// <summary>False when other threads have left something to do.</summary>
    private bool FallsAsleep()
    {
        lock (_gate)
        {
            _isAwake = _newlyClosing.Count + _resumed.Count + _dirty.Count > 0;
            return !_isAwake;
        }
    }

    private void TakePosted()
    {
        EpollConnection[] resumed;
        lock (_gate)
        {
            foreach (var connection in _newlyClosing)
            {
                connection.CloseDeadline = Deadline(_options.CloseWithin);
                _closing.Add(connection);
            }
            _newlyClosing.Clear();
            foreach (var connection in _dirty) _batch.Add(connection);
            _dirty.Clear();
            resumed = [.. _resumed];
            _resumed.Clear();
        }
        foreach (var connection in resumed)
        {
            if (connection.RestLength == 0 || connection.IsOver || connection.IsClosing) continue;
            Deliver(connection, connection.Rest!, connection.RestLength);
        }
    }

    private void CutOverdue()
    {
        if (_closing.Count == 0) return;
        var now = _time.GetTimestamp();
        foreach (var connection in _closing.Where(c => !c.IsOver && now > c.CloseDeadline)) End(connection);
        _closing.RemoveAll(c => c.IsOver);
    }

    private EpollConnection[] Snapshot()
    {
        lock (_gate) return [.. _slots.OfType<EpollConnection>()];
    }

    private long Deadline(TimeSpan after) => _time.GetTimestamp() + (long)(after.TotalSeconds * _time.TimestampFrequency);
}
