using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Options;
using Mooring.Kernel.Tls;
using Mooring.Mqtt.Broker.Access;
using Mooring.Mqtt.Broker.Connections;
using Mooring.Mqtt.Broker.Local;
using Mooring.Mqtt.Broker.Routing;
using Mooring.Mqtt.Broker.Sessions;
using Mooring.Mqtt.Broker.Transports.Epoll;
using Mooring.Mqtt.Broker.Transports.Kestrel;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker;

/// <summary>An MQTT 3.1, 3.1.1 and 5.0 broker. With a data folder, sessions and retained messages outlive its process.</summary>
public sealed partial class MqttBroker : IAsyncDisposable
{
    private static readonly TimeSpan TickPeriod = TimeSpan.FromSeconds(1);

    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly Lock _connectGate = new();
    private readonly Dictionary<string, Session> _sessions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<BrokerConnection, bool> _connections = new();
    private readonly List<EpollTransport> _transports = [];
    private readonly KestrelListener[] _kestrel;
    private readonly RetainedStore _retained;
    private ITimer? _ticker;
    private bool _isStopping;
    private int _isStopped;

    /// <summary>Makes a broker; <see cref="Start"/> binds its listeners.</summary>
    /// <exception cref="ConfigurationException">The options cannot be used; all reasons are in it.</exception>
    public MqttBroker(MqttBrokerOptions options, ILogger<MqttBroker> logger, TimeProvider time)
    {
        var errors = new OptionsErrors();
        options.Validate(errors, time);
        errors.ThrowIfAny("");

        Options = options;
        Log = new BrokerLog(logger);
        _time = time;
        _origin = time.GetTimestamp();
        Subscriptions = new SubscriptionTable(options.Limits.CachedRoutes);
        _retained = new RetainedStore(options.Limits.RetainedMessages, options.Limits.RetainedBytes);
        Counters = new BrokerCounters(this);
        Access = new AccessControl(options, errors);
        _kestrel = [.. options.Listeners.Where(listener => !IsEpoll(listener)).Select(listener => new KestrelListener(
            this, listener, listener.IsSecure ? new ReloadableCertificate(listener.Tls!, time, logger).Watch() : null))];
    }

    /// <summary>Addresses that are bound; known after <see cref="Start"/>, with the port chosen where 0 was asked for.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints =>
        [.. _transports.Select(transport => transport.LocalEndPoint), .. _kestrel.Select(listener => listener.LocalEndPoint)];

    /// <summary>Every listener with the address that it has; known when the host has started.</summary>
    public IReadOnlyList<MqttListener> Bound =>
    [
        .. Options.Listeners.Where(IsEpoll).Zip(_transports, (listener, transport) => listener with { EndPoint = transport.LocalEndPoint }),
        .. _kestrel.Select(bound => bound.Listener with { EndPoint = bound.LocalEndPoint }),
    ];

    /// <summary>Clients connected now.</summary>
    public int Connections => _connections.Count;

    /// <summary>Sessions, connected or kept.</summary>
    public int Sessions
    {
        get
        {
            lock (_connectGate)
            {
                return _sessions.Count;
            }
        }
    }

    /// <summary>Retained messages.</summary>
    public int Retained => _retained.Count;

    /// <summary>Subscriptions of all sessions.</summary>
    public int SubscriptionCount => Subscriptions.Count;

    internal MqttBrokerOptions Options { get; }

    internal BrokerLog Log { get; }

    internal BrokerCounters Counters { get; }

    internal AccessControl Access { get; }

    internal SubscriptionTable Subscriptions { get; }

    /// <summary>Milliseconds since the broker was made; monotonic.</summary>
    internal long Now => (long)_time.GetElapsedTime(_origin).TotalMilliseconds;

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

        CloseStorage();
        Counters.Dispose();
        Access.Dispose();
        foreach (var listener in _kestrel)
        {
            listener.Certificate?.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>A client in this process: a session without a connection, through the same router.</summary>
    /// <param name="clientId">Its identifier, which no other client may use meanwhile.</param>
    public IMqttClient CreateClient(string clientId)
    {
        ArgumentException.ThrowIfNullOrEmpty(clientId);
        return new LocalClient(this, clientId);
    }

    /// <summary>Plain TCP has a transport of its own on Linux; the rest is Kestrel's.</summary>
    private static bool IsEpoll(MqttListener listener) => listener.Transport == MqttTransport.Tcp && OperatingSystem.IsLinux();

    internal TimeProvider Time => _time;

    internal bool TryAdd(Session local)
    {
        lock (_connectGate)
        {
            return _sessions.TryAdd(local.ClientId, local);
        }
    }

    internal void Remove(Session local)
    {
        lock (_connectGate)
        {
            Drop_NeedsLock(local);
        }
    }

    internal RoutedMessage[] FindRetained(byte[] filter) => [.. _retained.Find(filter, Now)];

    internal uint CapExpiry(uint seconds) => Math.Min(seconds, (uint)Options.Limits.SessionExpiry.TotalSeconds);

    /// <summary>Routes one message and keeps it when it is to be retained; true when somebody gets it.</summary>
    internal bool Publish(RoutedMessage message)
    {
        if (message.Retain && !_retained.Keep(message))
        {
            Log.RetainedFull(message.Size);
        }

        var route = Subscriptions.Find(message.Topic);
        foreach (var target in route.Targets)
        {
            if (target.HasNoLocal && ReferenceEquals(target.Session, message.Publisher))
            {
                DeliverToPublisher(target, message);
            }
            else
            {
                Deliver(target, message);
            }
        }

        foreach (var share in route.Shares)
        {
            Deliver(share.Choose(), message);
        }

        return !route.IsEmpty;
    }

    /// <summary>
    /// Reads users and rules again. Clients whose user is gone are told and disconnected; the rules count at once for all others, for
    /// what they publish and for what still waits for them.
    /// </summary>
    /// <param name="options">Where users and rules are now.</param>
    /// <exception cref="ConfigurationException">They cannot be used; everything stays as it was.</exception>
    public void ReloadAccess(MqttBrokerOptions options)
    {
        Access.Reload(options);
        List<BrokerConnection> leave = [];
        lock (_connectGate)
        {
            foreach (var session in _sessions.Values.Where(session => session.Local is null))
            {
                var permissions = Access.PermissionsOf(new Identity(session.ClientId, session.UserName));
                session.Permissions = permissions;
                if (session.Owner is not { } owner) continue;
                owner.Permissions = permissions;
                if (session.UserName is { } user && !owner.HasCertificate && !Access.IsKnown(user)) leave.Add(owner);
            }
        }

        Subscriptions.Touch();
        leave.ForEach(connection => connection.End(MqttReasonCode.NotAuthorized));
        Log.AccessReloaded(leave.Count);
    }

    internal void SendRetained(Subscription subscription)
    {
        foreach (var message in _retained.Find(subscription.Filter, Now))
        {
            if ((subscription.NoLocal && ReferenceEquals(message.Publisher, subscription.Session))
                || subscription.Session.Permissions?.MayReceive(message.Topic) == false)
            {
                continue;
            }

            var qos = Lower(message.QualityOfService, subscription.MaximumQualityOfService);
            var identifiers = Target.Of(subscription).Identifiers;
            subscription.Session.Deliver(new Delivery(message, qos, Retain: true, identifiers));
        }
    }

    /// <summary>
    /// Gives <paramref name="connection"/> the session of its client identifier, a new one when there is none or a clean start is
    /// asked for, and ends the connection that had it (MQTT-3.1.4-3). Null when the broker is full.
    /// </summary>
    internal Session? TakeOver(
        Identity identity, bool cleanStart, BrokerConnection connection, uint expirySeconds, Will? ownWill, out bool present)
    {
        var clientId = identity.ClientId;
        Session? session;
        BrokerConnection? former;
        Will? will = null;
        lock (_connectGate)
        {
            _sessions.TryGetValue(clientId, out session);
            // What one user left is not for another one who takes the same client identifier.
            cleanStart |= session is not null && session.UserName != identity.UserName;
            present = session is not null && !cleanStart;
            if (session is { Local: not null } || (session is null && _sessions.Count >= Options.Limits.Sessions)
                || (expirySeconds > 0 && Journal is { IsFailed: true }))
            {
                return null;
            }

            former = session?.Owner;
            session?.Detach();

            if (session is not null && cleanStart)
            {
                // The old session ends here, and its delayed will with it (MQTT-3.1.3-9).
                will = session.DelayedWill?.Will;
                session.Owner = null;
                Drop_NeedsLock(session);
                session = null;
            }

            session ??= _sessions[clientId] = new Session(clientId, Options.Limits, Counters) { UserName = identity.UserName };
            session.Owner = connection;
            session.ExpirySeconds = expirySeconds;
            if (!ReferenceEquals(session.Permissions, connection.Permissions))
            {
                session.Permissions = connection.Permissions;
                Subscriptions.Touch();
            }

            session.EndsAt = null;
            session.KeepIn(Journal);
            session.SetDelayedWill(expirySeconds > 0 && ownWill is { DelaySeconds: > 0 } ? ownWill : null, dueAt: null);
        }

        former?.End(MqttReasonCode.SessionTakenOver);
        Publish(will);
        Log.Connected(clientId, connection.RemoteEndPoint);
        return session;
    }

    /// <summary>A connection is over: its will is published or scheduled, its session kept or dropped.</summary>
    internal void Closed(BrokerConnection connection, Session? session, Will? will)
    {
        _connections.TryRemove(connection, out _);
        if (session is null)
        {
            return;
        }

        Log.Disconnected(session.ClientId);
        lock (_connectGate)
        {
            if (session.Owner == connection)
            {
                session.Owner = null;
                session.Detach();
                var now = Now;
                if (session.ExpirySeconds == 0)
                {
                    Drop_NeedsLock(session);
                }
                else
                {
                    session.EndsAt = now + (session.ExpirySeconds * 1000L);
                    session.KeepIn(Journal);
                    var delayed = will is { DelaySeconds: > 0 } ? will : null;
                    session.SetDelayedWill(delayed, now + (Math.Min(delayed?.DelaySeconds ?? 0, session.ExpirySeconds) * 1000L));
                    will = delayed is null ? will : null;
                }
            }
            else if (will is { DelaySeconds: > 0 } && ReferenceEquals(_sessions.GetValueOrDefault(session.ClientId), session))
            {
                // Taken over and the session goes on: a delayed will is cancelled (MQTT-3.1.3-9).
                will = null;
            }
        }

        Publish(will);
    }

    /// <summary>One step of all deadlines; the timer is one line around it.</summary>
    internal void Tick(long now)
    {
        foreach (var connection in _connections.Keys)
        {
            connection.Tick(now);
        }

        List<Will>? due = null;
        lock (_connectGate)
        {
            foreach (var session in _sessions.Values)
            {
                var ends = session.EndsAt <= now;
                if (session.DelayedWill is { } delayed && (ends || delayed.DueAt <= now))
                {
                    (due ??= []).Add(delayed.Will);
                    session.SetDelayedWill(null, null);
                }

                if (ends)
                {
                    Drop_NeedsLock(session);
                }
            }
        }

        due?.ForEach(Publish);
        TickStorage(now);
    }

    internal BrokerConnection Accept(IConnectionOutput output, ClientEntrance entrance)
    {
        var accepted = new BrokerConnection(this, output, entrance);
        _connections[accepted] = true;
        if (Volatile.Read(ref _isStopping))
        {
            accepted.End(MqttReasonCode.ServerShuttingDown);
        }

        return accepted;
    }

    private void Publish(Will? will)
    {
        if (will is null)
        {
            return;
        }

        var message = will.Message;
        Publish(RoutedMessage.Create(
            message.Topic, message.Payload, message.QualityOfService, message.Retain, message.Properties,
            will.ExpirySeconds is { } seconds ? Now + (seconds * 1000L) : null));
    }

    private void Drop_NeedsLock(Session session)
    {
        if (ReferenceEquals(_sessions.GetValueOrDefault(session.ClientId), session))
        {
            _sessions.Remove(session.ClientId);
        }

        session.LeaveJournal();
        foreach (var subscription in session.Subscriptions)
        {
            Subscriptions.Remove(subscription);
        }
    }

    private static void Deliver(in Target target, RoutedMessage message) => target.Session.Deliver(new Delivery(
        message,
        Lower(message.QualityOfService, target.MaximumQualityOfService),
        message.Retain && target.RetainAsPublished,
        target.Identifiers));

    /// <summary>No Local is judged per subscription, before overlapping ones are merged (MQTT-3.8.3-3).</summary>
    private static void DeliverToPublisher(in Target target, RoutedMessage message)
    {
        Target? merged = null;
        foreach (var subscription in target.Session.Subscriptions)
        {
            if (!subscription.NoLocal && subscription.ShareName.Length == 0 && TopicFilter.Matches(subscription.Filter, message.Topic))
            {
                merged = merged is { } some ? some.Merge(subscription) : Target.Of(subscription);
            }
        }

        if (merged is { } own)
        {
            Deliver(own, message);
        }
    }

    private static QualityOfService Lower(QualityOfService published, QualityOfService granted) =>
        published < granted ? published : granted;
}
