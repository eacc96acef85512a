using System.Net;
using System.Runtime.Versioning;

namespace Mooring.Mqtt.Broker.Transports.Epoll;

/// <summary>
/// Plain TCP on Linux without the thread pool: at low rates the pool's wake-ups cost several times the work itself, and
/// an idle connection needs no buffer here.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class EpollTransport : IDisposable
{
    private readonly EpollLoop[] _loops;
    private readonly EpollAcceptor _acceptor;
    private bool _isStopped;

    /// <summary>Binds; throws <see cref="System.Net.Sockets.SocketException"/> when the address cannot be used.</summary>
    internal EpollTransport(
        IPEndPoint endPoint, EpollOptions options, TimeProvider time, Func<EpollConnection, IEpollHandler?> accepted,
        Action<EpollConnection, Exception>? faulted = null)
    {
        _loops = [.. Enumerable.Range(0, options.Threads).Select(number => new EpollLoop(options, time, number) { Faulted = faulted })];
        try
        {
            _acceptor = new EpollAcceptor(endPoint, options, time, _loops, accepted);
        }
        catch
        {
            foreach (var loop in _loops) loop.Dispose();
            throw;
        }
    }

    internal IPEndPoint LocalEndPoint => _acceptor.LocalEndPoint;

    internal int Connections => _loops.Sum(loop => loop.Connections);

    internal void Start()
    {
        for (var i = 0; i < _loops.Length; i++) _loops[i].Start(_acceptor, accepts: i == 0);
    }

    /// <summary>Stops accepting, lets queued output leave within the deadline, and ends the threads.</summary>
    internal void Stop()
    {
        if (_isStopped) return;
        _isStopped = true;
        foreach (var loop in _loops) loop.BeginStop();
        foreach (var loop in _loops) loop.Join();
    }

    public void Dispose()
    {
        Stop();
        foreach (var loop in _loops) loop.Dispose();
        _acceptor.Dispose();
    }
}
