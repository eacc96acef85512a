using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Events;
using Mooring.Kernel.Options;
using Mooring.Kernel.Tls;
using Mooring.Mqtt.Broker.Access;
using Mooring.Mqtt.Broker.Connections;
using Mooring.Mqtt.Broker.Local;
using Mooring.Mqtt.Broker.Routing;
using Mooring.Mqtt.Broker.Sessions;
using Mooring.Mqtt.Broker.Statistics;
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
    private readonly SystemTopics _system;
    private readonly WillQueue _wills;
    private readonly ConnectionsByAddress _addresses;
    private ITimer? _ticker;
    private bool _isStopping;
    private int _isStopped;

    /// <summary>Makes a broker; <see cref="Start"/> binds its listeners.</summary>
    /// <exception cref="ConfigurationException">The options cannot be used; all reasons are in it.</exception>
    /// <param name="options">How it runs.</param>
    /// <param name="logger">Its log.</param>
    /// <param name="time">The clock.</param>
    /// <param name="events">Who is told what operators may want to know; null for nobody.</param>
    public MqttBroker(MqttBrokerOptions options, ILogger<MqttBroker> logger, TimeProvider time, OperatorEvents? events = null)
    {
        var errors = new OptionsErrors();
        options.Validate(errors, time);
        errors.ThrowIfAny("");

        Options = options;
        Log = new BrokerLog(logger) { Events = events };
        _time = time;
        _origin = time.GetTimestamp();
        Subscriptions = new SubscriptionTable(options.Limits.CachedRoutes);
        _retained = new RetainedStore(options.Limits.RetainedMessages, options.Limits.RetainedBytes);
        RetainedPump = new RetainedPump(this);
        Counters = new BrokerCounters(this);
        View = new MqttBrokerView(this);
        _system = new SystemTopics(this, options.SystemTopicsPeriod);
        _addresses = new ConnectionsByAddress(options.Limits.ConnectionsPerAddress);
        _wills = new WillQueue(PublishNow, options.Limits.WaitingWills);
        Access = new AccessControl(options, errors);
        _kestrel = [.. options.Listeners.Where(listener => !IsEpoll(listener)).Select(listener => new KestrelListener(
            this, listener, listener.IsSecure ? new ReloadableCertificate(listener.Tls!, time, logger).Watch() : null))];
    }

    /// <summary>What an operator sees of the broker.</summary>
    public MqttBrokerView View { get; }

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

    /// <summary>A client in this process: a session without a connection, through the same router.</summary>
    /// <param name="clientId">Its identifier, which no other client may use meanwhile.</param>
    public IMqttClient CreateClient(string clientId)
    {
        ArgumentException.ThrowIfNullOrEmpty(clientId);
        return new LocalClient(this, clientId);
    }

    internal TimeProvider Time => _time;

    internal RetainedPump RetainedPump { get; }

    /// <summary>Routes one message and keeps it when it is to be retained; returns who gets it.</summary>
    /// <param name="message">The message.</param>
    /// <param name="former">Who got the publisher's message before it of the same topic: saves the lookup when nothing has changed.</param>
    internal Route Publish(RoutedMessage message, Route? former = null)
    {
        if (message.Retain && !_retained.Keep(message))
        {
            Counters.NotRetained();
            Log.RetainedFull(message.Size);
        }

        // Looked up once the message is retained: whoever subscribes in between gets it from the store.
        var route = former is not null && Subscriptions.IsCurrent(former) ? former : Subscriptions.Find(message.Topic);
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

        return route;
    }

    /// <summary>Delivers retained messages to a subscription that was just made, those that match wildcards a little at a time.</summary>
    internal void SendRetained(Subscription subscription)
    {
        var session = subscription.Session;
        Action<Delivery> deliver = delivery => session.Deliver(delivery);
        if (BeginRetained(subscription, deliver) is not { } rest)
        {
            return;
        }

        session.CancelRetained(subscription.Key);
        if (rest.Step(Now, session.HasRoomForRetained, deliver))
        {
            session.AwaitRetained(rest);
            RetainedPump.Add(session);
        }
        else
        {
            rest.Dispose();
        }
    }

    /// <summary>Delivers at once what takes one lookup; the rest comes from the cursor, if there is any.</summary>
    internal RetainedCursor? BeginRetained(Subscription subscription, Action<Delivery> deliver)
    {
        foreach (var message in _system.Find(subscription.Filter))
        {
            subscription.GiveRetained(message, deliver);
        }

        if (!subscription.IsPattern)
        {
            _retained.Give(subscription.Filter, subscription, Now, deliver);
            return null;
        }

        return _retained.Count == 0 ? null : new RetainedCursor(_retained, subscription);
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
