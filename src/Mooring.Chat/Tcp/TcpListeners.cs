using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Mooring.Kernel.Sockets;

namespace Mooring.Chat.Tcp;

/// <summary>The listening sockets of the loop; used on its thread only.</summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class TcpListeners : IDisposable
{
    private const ulong FirstKey = EpollSet.WakeKey - 1;

    private readonly List<Socket> _sockets = [];
    private readonly TimeProvider _time;
    private long _pausedAt;
    private bool _isClosed;

    /// <summary>Binds all or none.</summary>
    internal TcpListeners(IReadOnlyList<IPEndPoint> endPoints, TimeProvider time)
    {
        _time = time;
        try
        {
            foreach (var endPoint in endPoints) _sockets.Add(Bind(endPoint));
        }
        catch
        {
            Dispose();
            throw;
        }
        EndPoints = [.. _sockets.Select(socket => (IPEndPoint)socket.LocalEndPoint!)];
    }

    internal IReadOnlyList<IPEndPoint> EndPoints { get; }

    /// <summary>Whether accepting waits for descriptors to become free.</summary>
    internal bool IsPaused { get; private set; }

    internal bool IsKey(ulong key) => key <= FirstKey && key > FirstKey - (ulong)_sockets.Count;

    internal void Arm(EpollSet set)
    {
        for (var i = 0; i < _sockets.Count; i++) set.Add((int)_sockets[i].Handle, LibC.EventIn, FirstKey - (ulong)i);
    }

    internal bool TryAccept(ulong key, EpollSet set, out int descriptor, out IPAddress? remote)
    {
        var address = stackalloc byte[LibC.AddressBytes];
        remote = null;
        while (true)
        {
            var length = LibC.AddressBytes;
            descriptor = LibC.Accept((int)_sockets[(int)(FirstKey - key)].Handle, address, &length, LibC.NonBlockingCloseOnExec);
            if (descriptor >= 0)
            {
                remote = SocketAddressBytes.Decode(new ReadOnlySpan<byte>(address, length))?.Address;
                return true;
            }
            switch (LibC.LastError)
            {
                case LibC.ErrorInterrupted or LibC.ErrorAborted:
                    continue;
                case LibC.ErrorTooManyInProcess or LibC.ErrorTooManyInSystem or LibC.ErrorNoBuffers or LibC.ErrorNoMemory:
                    Pause(set);
                    return false;
                default:
                    return false;
            }
        }
    }

    internal void ResumeWhenDue(EpollSet set)
    {
        if (!IsPaused || _time.GetElapsedTime(_pausedAt) < TcpLimits.AcceptPause) return;
        IsPaused = false;
        Arm(set);
    }

    /// <summary>Closes the sockets: who connects from now on is refused.</summary>
    internal void Close(EpollSet set)
    {
        if (_isClosed) return;
        _isClosed = true;
        if (!IsPaused) Remove(set);
        IsPaused = false;
        Dispose();
    }

    public void Dispose()
    {
        foreach (var socket in _sockets) socket.Dispose();
    }

    private static Socket Bind(IPEndPoint endPoint)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // The runtime's own choice: a port with dying connections of the last run is free, but it is not shared with a second server.
            KeepAlive(socket);
            socket.Bind(endPoint);
            socket.Listen(TcpLimits.Backlog);
            socket.Blocking = false;
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A peer that vanished without a word is noticed in about a minute and a half; accepted sockets take these options over.</summary>
    private static void KeepAlive(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 60);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 10);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
    }

    private void Pause(EpollSet set)
    {
        IsPaused = true;
        _pausedAt = _time.GetTimestamp();
        Remove(set);
    }

    private void Remove(EpollSet set)
    {
        foreach (var socket in _sockets) set.Remove((int)socket.Handle);
    }
}
