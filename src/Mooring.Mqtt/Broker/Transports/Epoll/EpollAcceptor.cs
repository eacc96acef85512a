using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Mooring.Kernel.Sockets;

namespace Mooring.Mqtt.Broker.Transports.Epoll;

/// <summary>Takes connections off the listening socket and deals them out to the loops. Runs on the first loop's thread.</summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class EpollAcceptor : IDisposable
{
    internal const ulong Key = ulong.MaxValue - 1;

    private readonly Socket _listener;
    private readonly EpollOptions _options;
    private readonly TimeProvider _time;
    private readonly EpollLoop[] _loops;
    private readonly Func<EpollConnection, IEpollHandler?> _accepted;
    private readonly int _maximum;
    private long _pausedAt;
    private int _open;
    private int _next;

    internal EpollAcceptor(
        IPEndPoint endPoint, EpollOptions options, TimeProvider time, EpollLoop[] loops, Func<EpollConnection, IEpollHandler?> accepted)
    {
        _options = options;
        _time = time;
        _loops = loops;
        _accepted = accepted;
        _maximum = Math.Min(options.MaximumConnections, Math.Max(1, LibC.DescriptorLimit() - options.ReservedDescriptors));
        _listener = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        if (endPoint.AddressFamily == AddressFamily.InterNetworkV6) _listener.DualMode = true;
        _listener.Bind(endPoint);
        _listener.Listen(options.Backlog);
        _listener.Blocking = false;
        LocalEndPoint = (IPEndPoint)_listener.LocalEndPoint!;
    }

    internal IPEndPoint LocalEndPoint { get; }

    internal bool IsPaused { get; private set; }

    /// <summary>Connections that were turned away because the limit was reached.</summary>
    internal long Refused { get; private set; }

    private int Descriptor => (int)_listener.Handle;

    internal void Arm(EpollSet set) => set.Add(Descriptor, LibC.EventIn, Key);

    internal void Accept(EpollSet set)
    {
        var address = stackalloc byte[LibC.AddressBytes];
        for (var i = 0; i < _options.AcceptsPerTurn; i++)
        {
            var length = LibC.AddressBytes;
            var descriptor = LibC.Accept(Descriptor, address, &length, LibC.NonBlockingCloseOnExec);
            if (descriptor >= 0)
            {
                Admit(descriptor, new ReadOnlySpan<byte>(address, length));
                continue;
            }
            switch (LibC.LastError)
            {
                case LibC.ErrorInterrupted or LibC.ErrorAborted:
                    continue;
                case LibC.ErrorTooManyInProcess or LibC.ErrorTooManyInSystem or LibC.ErrorNoBuffers or LibC.ErrorNoMemory:
                    set.Remove(Descriptor);
                    IsPaused = true;
                    _pausedAt = _time.GetTimestamp();
                    return;
                default:
                    return;
            }
        }
    }

    internal void ResumeWhenDue(EpollSet set)
    {
        if (_time.GetElapsedTime(_pausedAt) < _options.AcceptPause) return;
        IsPaused = false;
        Arm(set);
    }

    internal void OnReleased() => Interlocked.Decrement(ref _open);

    internal void Stop(EpollSet set)
    {
        if (!IsPaused) set.Remove(Descriptor);
        IsPaused = false;
        _listener.Dispose();
    }

    public void Dispose() => _listener.Dispose();

    private void Admit(int descriptor, ReadOnlySpan<byte> address)
    {
        if (Interlocked.Increment(ref _open) > _maximum)
        {
            Interlocked.Decrement(ref _open);
            Refused++;
            _ = LibC.Close(descriptor);
            return;
        }
        LibC.SetNoDelay(descriptor);
        var loop = _loops[_next];
        _next = (_next + 1) % _loops.Length;
        var connection = new EpollConnection(loop, descriptor, SocketAddressBytes.Decode(address));
        if (_accepted(connection) is not { } handler)
        {
            Interlocked.Decrement(ref _open);
            Refused++;
            connection.Release();
            return;
        }
        connection.Handler = handler;
        loop.Add(connection);
    }
}
