using System.Net;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Mooring.Chat.Lines;
using Mooring.Chat.Rooms;
using Mooring.Kernel.Sockets;

namespace Mooring.Chat.Tcp;

/// <summary>
/// The thread that serves all plain TCP clients. A turn: wait, read every ready socket once, handle all lines that are whole, then send
/// once to every member that has something new. Under load a turn brings many messages, and a member still costs one write.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class TcpLoop : IDisposable
{
    private const int InitialSlots = 64;
    private const int HousekeepingMilliseconds = 50;
    private const int Forever = -1;

    private readonly ChatHub _hub;
    private readonly LineProtocol _protocol;
    private readonly Action<Exception> _faulted;
    private readonly EpollSet _set = new(TcpLimits.EventsPerTurn);
    private readonly Thread _thread;
    private readonly Lock _gate = new();
    private readonly Stack<int> _freeSlots = new(InitialSlots);
    private readonly List<TcpConnection> _closing = [];
    private readonly List<TcpConnection> _over = [];
    private readonly TcpListeners _listeners;
    private List<(TcpConnection Connection, TimeSpan Linger)> _posted = [];
    private List<(TcpConnection Connection, TimeSpan Linger)> _taken = [];
    private TcpConnection?[] _slots = new TcpConnection?[InitialSlots];
    private byte[] _buffer = NewBuffer(TcpLimits.ReadBytes * 2);
    private int _usedSlots;
    private volatile bool _isStopped;
    private volatile bool _isAccepting = true;

    /// <summary>Binds; throws <see cref="System.Net.Sockets.SocketException"/> when an address cannot be used.</summary>
    internal TcpLoop(ChatHub hub, LineProtocol protocol, IReadOnlyList<IPEndPoint> endPoints, Action<Exception> faulted)
    {
        _hub = hub;
        _protocol = protocol;
        _faulted = faulted;
        _thread = new Thread(Run) { IsBackground = true, Name = "chat-tcp" };
        try
        {
            _listeners = new TcpListeners(endPoints, hub.Time);
        }
        catch
        {
            _set.Dispose();
            throw;
        }
    }

    internal IReadOnlyList<IPEndPoint> EndPoints => _listeners.EndPoints;

    internal void Start()
    {
        _listeners.Arm(_set);
        _thread.Start();
    }

    /// <summary>Lets nobody in any more.</summary>
    internal void StopAccepting()
    {
        _isAccepting = false;
        _set.Wake();
    }

    /// <summary>Cuts what is still open and ends the thread.</summary>
    public void Dispose()
    {
        _isStopped = true;
        _set.Wake();
        if (!_thread.ThreadState.HasFlag(ThreadState.Unstarted)) _thread.Join();
        _listeners.Dispose();
        _set.Dispose();
    }

    internal void Arm(int descriptor, uint events, int slot) => _set.Modify(descriptor, events, (ulong)slot);

    /// <summary>The connection ends when its peer has closed, at the latest after a time. Any thread.</summary>
    internal void PostClosing(TcpConnection connection, TimeSpan linger)
    {
        lock (_gate) _posted.Add((connection, linger));
        if (Thread.CurrentThread != _thread) _set.Wake();
    }

    private static byte[] NewBuffer(int bytes) => GC.AllocateUninitializedArray<byte>(bytes, pinned: true);

    private void Run()
    {
        while (!_isStopped) Turn();
        for (var slot = 0; slot < _usedSlots; slot++)
            if (_slots[slot] is { } connection) End(connection);
        ReleaseOver();
    }

    private void Turn()
    {
        var ready = _set.Wait(HasPosted() ? 0 : _closing.Count > 0 || _listeners.IsPaused ? HousekeepingMilliseconds : Forever);
        for (var i = 0; i < ready; i++)
        {
            var key = _set.Key(i);
            if (key == EpollSet.WakeKey) _set.ClearWake();
            else if (_listeners.IsKey(key)) Accept(key);
            else if (_slots[key] is { IsOver: false } connection) Handle(connection, _set.Events(i));
        }
        if (_isAccepting) _listeners.ResumeWhenDue(_set);
        else _listeners.Close(_set);
        _hub.Outbox.Flush();
        TakePosted();
        CutOverdue();
        // Whoever went away leaves a notice behind.
        _hub.Outbox.Flush();
        ReleaseOver();
    }

    private void Accept(ulong key)
    {
        for (var i = 0; i < TcpLimits.AcceptsPerTurn && _isAccepting && _listeners.TryAccept(key, _set, out var descriptor, out var remote); i++)
        {
            LibC.SetNoDelay(descriptor);
            var connection = new TcpConnection(this, descriptor);
            connection.Client = _protocol.Accept(connection, remote, isEncrypted: false, _hub.Options.ProxyProtocol);
            Add(connection);
        }
    }

    private void Add(TcpConnection connection)
    {
        if (!_freeSlots.TryPop(out var slot))
        {
            slot = _usedSlots++;
            if (slot == _slots.Length) Array.Resize(ref _slots, slot * 2);
        }
        connection.Slot = slot;
        _slots[slot] = connection;
        connection.Join(_set);
    }

    private void Handle(TcpConnection connection, uint events)
    {
        // Whatever one client makes the server throw ends that client and no other.
        try
        {
            if ((events & LibC.EventOut) != 0)
            {
                connection.OnWritable();
                if (connection.Client.MayRead) connection.Read(true);
            }
            if ((events & LibC.EventIn) != 0) Read(connection);
            else if ((events & (LibC.EventError | LibC.EventHangUp)) != 0) End(connection);
        }
        catch (Exception exception)
        {
            _faulted(exception);
            End(connection);
        }
    }

    private void Read(TcpConnection connection)
    {
        var rest = connection.RestLength;
        if (_buffer.Length < rest + TcpLimits.ReadBytes) _buffer = NewBuffer(rest + TcpLimits.ReadBytes);
        connection.Rest.CopyTo(_buffer);
        var read = connection.Receive((byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_buffer, rest), TcpLimits.ReadBytes);
        if (read < 0)
        {
            if (LibC.LastError is LibC.ErrorTryAgain or LibC.ErrorInterrupted) return;
            End(connection);
            return;
        }
        if (read == 0)
        {
            OnEnd(connection);
            return;
        }
        var length = rest + (int)read;
        var consumed = connection.Client.OnReceived(_buffer.AsSpan(0, length));
        connection.KeepRest(_buffer.AsSpan(consumed, length - consumed));
        if (!connection.Client.MayRead) connection.Read(false);
    }

    /// <summary>The peer has ended its sending side: it may go on as a member that only receives.</summary>
    private void OnEnd(TcpConnection connection)
    {
        connection.End();
        var rest = connection.Rest.ToArray();
        connection.KeepRest(default);
        if (connection.Client.Session.IsClosing) End(connection);
        else connection.Client.OnInputEnded(rest);
    }

    private void End(TcpConnection connection)
    {
        if (connection.IsOver) return;
        connection.IsOver = true;
        _over.Add(connection);
        _hub.Gone(connection.Client.Session);
    }

    private bool HasPosted()
    {
        lock (_gate) return _posted.Count > 0;
    }

    private void TakePosted()
    {
        lock (_gate) (_posted, _taken) = (_taken, _posted);
        foreach (var (connection, linger) in _taken)
        {
            connection.CloseDeadline = _hub.Time.GetTimestamp() + (long)(linger.TotalSeconds * _hub.Time.TimestampFrequency);
            if (connection.IsEnded || linger == TimeSpan.Zero) End(connection);
            else _closing.Add(connection);
        }
        _taken.Clear();
    }

    private void CutOverdue()
    {
        if (_closing.Count == 0) return;
        var now = _hub.Time.GetTimestamp();
        foreach (var connection in _closing)
            if (now > connection.CloseDeadline) End(connection);
        _closing.RemoveAll(connection => connection.IsOver);
    }

    private void ReleaseOver()
    {
        foreach (var connection in _over)
        {
            connection.Release();
            _slots[connection.Slot] = null;
            _freeSlots.Push(connection.Slot);
        }
        _over.Clear();
    }
}
