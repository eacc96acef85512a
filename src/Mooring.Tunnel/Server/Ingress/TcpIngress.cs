using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Mooring.Tunnel.Server.Sessions;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>Listens on the ports of TCP tunnels. Sockets of its own: Kestrel's close both directions at once, and a tunnel must not.</summary>
internal sealed partial class TcpIngress(
    TunnelServerOptions options, VisitorRules rules, ProxyHeaders proxies, TunnelMetrics metrics, TimeProvider time, ILogger logger) : IDisposable
{
    private const int Backlog = 512;

    private readonly ConcurrentDictionary<TunnelBinding, Socket> _listeners = new();
    private long _failed;

    /// <exception cref="SocketException">The port is taken.</exception>
    public void Open(TunnelBinding binding)
    {
        var address = options.TcpAddress ?? options.Http.Address;
        var listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(new IPEndPoint(address, binding.Port));
            listener.Listen(Backlog);
        }
        catch
        {
            listener.Dispose();
            throw;
        }
        _listeners[binding] = listener;
        _ = AcceptAsync(listener, binding);
    }

    public void Close(TunnelBinding binding)
    {
        if (_listeners.TryRemove(binding, out var listener)) listener.Dispose();
    }

    public void Dispose()
    {
        foreach (var (binding, _) in _listeners) Close(binding);
    }

    private async Task AcceptAsync(Socket listener, TunnelBinding binding)
    {
        var gate = new ConnectionGate(options.Limits.TcpConnectionsMax, options.Limits.TcpConnectionsPerSecond, time);
        while (true)
        {
            Socket visitor;
            try
            {
                visitor = await listener.AcceptAsync();
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                if (!_listeners.ContainsKey(binding)) return;
                continue;
            }
            if (binding.Session.IsDraining || binding.Session.Usage.IsOverDay || visitor.RemoteEndPoint is not IPEndPoint remote || !gate.TryEnter())
            {
                metrics.Rejected("tcp");
                visitor.Dispose();
                continue;
            }
            _ = ServeAsync(new TcpVisit(visitor, remote), binding, gate);
        }
    }

    private async Task ServeAsync(TcpVisit visit, TunnelBinding binding, ConnectionGate gate)
    {
        metrics.Opened("tcp");
        try
        {
            visit.Socket.NoDelay = true;
            if (await AdmitAsync(visit) is { } admitted)
            {
                binding.CountRequest();
                await binding.Session.ServeAsync(admitted, binding);
                return;
            }
            metrics.Rejected("tcp");
            visit.Socket.Dispose();
        }
        catch (Exception exception)
        {
            var count = Interlocked.Increment(ref _failed);
            if (long.IsPow2(count)) LogFailed(logger, binding.Name, count, exception);
            visit.Socket.Dispose();
        }
        finally
        {
            gate.Leave();
            metrics.Closed("tcp");
        }
    }

    private async ValueTask<TcpVisit?> AdmitAsync(TcpVisit visit)
    {
        if (proxies.AreExpectedFrom(visit.Visitor))
        {
            if (await proxies.ReadAsync(visit.Socket) is not { } visitor) return null;
            visit = visit with { Visitor = visitor };
        }
        return rules.IsAllowed(visit.Visitor.Address) ? visit : null;
    }

    [LoggerMessage(6020, LogLevel.Error, "a connection of tunnel {Tunnel} failed ({Count} so far)")]
    private static partial void LogFailed(ILogger logger, string tunnel, long count, Exception exception);
}
