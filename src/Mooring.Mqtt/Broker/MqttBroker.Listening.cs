using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Mooring.Mqtt.Broker.Access;
using Mooring.Mqtt.Broker.Connections;
using Mooring.Mqtt.Broker.Transports.Epoll;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker;

/// <summary>Listeners, from the start to the end.</summary>
public sealed partial class MqttBroker
{
    /// <summary>Addresses that are bound; known after <see cref="Start"/>, with the port chosen where 0 was asked for.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints =>
        [.. _transports.Select(transport => transport.LocalEndPoint), .. _kestrel.Select(listener => listener.LocalEndPoint)];

    /// <summary>Every listener with the address that it has; known when the host has started.</summary>
    public IReadOnlyList<MqttListener> Bound =>
    [
        .. Options.Listeners.Where(IsEpoll).Zip(_transports, (listener, transport) => listener with { EndPoint = transport.LocalEndPoint }),
        .. _kestrel.Select(bound => bound.Listener with { EndPoint = bound.LocalEndPoint }),
    ];

    /// <summary>Binds and serves. Throws <see cref="System.Net.Sockets.SocketException"/> when an address cannot be used.</summary>
    public void Start()
    {
        Restore();
        var transport = new EpollOptions { Threads = Options.IoThreads };
        foreach (var listener in Options.Listeners.Where(IsEpoll))
        {
            var entrance = new ClientEntrance(listener);
            var bounds = transport with { MaximumConnections = listener.MaximumConnections };
            _transports.Add(new EpollTransport(listener.EndPoint, bounds, _time, connection => Accept(connection, entrance)));
        }

        foreach (var started in _transports)
        {
            started.Start();
            Log.Listening(started.LocalEndPoint, MqttTransport.Tcp);
        }

        _ticker = _time.CreateTimer(_ => Tick(Now), null, TickPeriod, TickPeriod);
    }

    /// <summary>Reads certificates again, now instead of at the next regular look. Open connections keep theirs.</summary>
    public void ReloadCertificates()
    {
        foreach (var listener in _kestrel)
        {
            listener.Certificate?.ReloadIfChanged();
        }
    }

    /// <summary>Says where Kestrel listens, once it does.</summary>
    internal void LogKestrel()
    {
        foreach (var listener in _kestrel)
        {
            Log.Listening(listener.LocalEndPoint, listener.Listener.Transport);
        }
    }

    /// <summary>Binds the listeners that Kestrel serves.</summary>
    internal void BindTo(KestrelServerOptions kestrel)
    {
        foreach (var listener in _kestrel)
        {
            listener.Bind(kestrel);
        }
    }

    /// <summary>Tells every client (5.0: 0x8B) and closes when what is queued has left. Wills are not published.</summary>
    internal void BeginStop()
    {
        Volatile.Write(ref _isStopping, true);
        foreach (var connection in _connections.Keys)
        {
            connection.End(MqttReasonCode.ServerShuttingDown);
        }
    }

    /// <summary>Tells every client (5.0: 0x8B), lets what is queued leave, and closes. Wills are not published.</summary>
    public ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isStopped, 1) == 1)
        {
            return ValueTask.CompletedTask;
        }

        _ticker?.Dispose();
        BeginStop();
        foreach (var transport in _transports)
        {
            transport.Dispose();
        }

        _wills.Drain();
        CloseStorage();
        Counters.Dispose();
        Access.Dispose();
        foreach (var listener in _kestrel)
        {
            listener.Certificate?.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Null when the address has all the connections that it may have.</summary>
    internal BrokerConnection? Accept(IConnectionOutput output, ClientEntrance entrance)
    {
        if (!_addresses.TryEnter(output.RemoteEndPoint))
        {
            return null;
        }

        var accepted = new BrokerConnection(this, output, entrance);
        Remember(accepted);
        if (Volatile.Read(ref _isStopping))
        {
            accepted.End(MqttReasonCode.ServerShuttingDown);
        }

        return accepted;
    }

    /// <summary>Plain TCP has a transport of its own on Linux; the rest is Kestrel's.</summary>
    private static bool IsEpoll(MqttListener listener) => listener.Transport == MqttTransport.Tcp && OperatingSystem.IsLinux();
}
