using System.Text;
using Mooring.Kernel.Links;
using Mooring.Mqtt.Broker.Routing;
using Mooring.Mqtt.Broker.Sessions;
using Mooring.Mqtt.Codec;
using Mooring.Mqtt.Tracing;

namespace Mooring.Mqtt.Broker.Local;

/// <summary>A session without a connection: same router, no sockets. One worker runs its handlers, in order.</summary>
internal sealed class LocalClient : IMqttClient
{
    // Set once for the whole flow of a worker, so that every handler and what it awaits sees it.
    private static readonly AsyncLocal<LocalClient?> Handling = new();

    private readonly MqttBroker _broker;
    private readonly Session _session;
    private readonly LinkMachine _machine;
    private readonly LocalInbox _inbox;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Dictionary<byte[], LocalHandler[]> _exact = new(Utf8Comparer.Instance);
    private LocalHandler[] _wildcards = [];
    private Task? _worker;
    private bool _isStopped;

    internal LocalClient(MqttBroker broker, string clientId)
    {
        _broker = broker;
        ClientId = clientId;
        _machine = new LinkMachine(broker.Time);
        _inbox = new LocalInbox(broker);
        _session = new Session(clientId, broker.Options.Limits, broker.Counters) { Local = this };
    }

    public event Action<LinkTransition>? LinkChanged
    {
        add => _machine.Moved += value;
        remove => _machine.Moved -= value;
    }

    public string ClientId { get; }

    public LinkState State => _machine.State;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            ThrowIfStopped_NeedsLock();
            if (_worker is not null) return Task.CompletedTask;
            if (!_broker.TryAdd(_session))
            {
                throw new MqttRefusedException((byte)MqttReasonCode.ClientIdentifierNotValid, $"client id {ClientId} is in use");
            }
            _worker = Task.Run(RunAsync, CancellationToken.None);
        }
        _machine.TryMove(LinkState.Connecting, "started");
        _machine.TryMove(LinkState.Up, "in-process");
        return Task.CompletedTask;
    }

    public ValueTask PublishAsync(MqttMessage message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        cancellationToken.ThrowIfCancellationRequested();
        if (State != LinkState.Up) throw new InvalidOperationException($"client {ClientId} is not started, or stopped");
        var route = Publish(message);
        // Handlers that wait for each other's handlers, or their own, would do so for ever: what they publish may be dropped instead.
        return route.HasLocal && Handling.Value is null ? WaitForRoomAsync(route, cancellationToken) : ValueTask.CompletedTask;
    }

    public ValueTask EnqueueAsync(MqttMessage message, CancellationToken cancellationToken = default) => PublishAsync(message, cancellationToken);

    public ValueTask<IAsyncDisposable> SubscribeAsync(
        MqttSubscription subscription, MqttMessageHandler handler, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(subscription);
        ArgumentNullException.ThrowIfNull(handler);
        cancellationToken.ThrowIfCancellationRequested();
        var key = Encoding.UTF8.GetBytes(subscription.Filter);
        if (!TopicFilter.IsValid(key) || !TopicFilter.TrySplitShare(key, out var share, out var inner))
        {
            throw new MqttRefusedException((byte)MqttReasonCode.TopicFilterInvalid, $"{subscription.Filter} is not a topic filter");
        }
        var filter = inner.ToArray();
        var added = new LocalHandler(filter, TopicFilter.HasWildcards(filter) ? null : Encoding.UTF8.GetString(filter), handler);
        var options = (byte)((int)subscription.MaximumQualityOfService | (subscription.NoLocal ? 4 : 0)
            | (subscription.RetainAsPublished ? 8 : 0) | ((int)subscription.RetainHandling << 4));
        var made = new Subscription(_session, key, filter, share.ToArray(), options, subscription.Identifier ?? 0);
        Subscription? former;
        lock (_gate)
        {
            ThrowIfStopped_NeedsLock();
            Change(added, add: true);
            former = _session.FindSubscription(key);
            _session.TryKeep(made);
            _broker.Subscriptions.Set(made, former);
        }
        if (share.IsEmpty && (subscription.RetainHandling == RetainHandling.SendAtSubscribe
            || (subscription.RetainHandling == RetainHandling.SendIfNew && former is null))
            && _broker.BeginRetained(made, delivery => _inbox.Add(delivery, added)) is { } rest)
        {
            _inbox.Add(rest, added);
        }
        return ValueTask.FromResult<IAsyncDisposable>(new Registration(this, made.Key, added));
    }

    /// <summary>What was published has been routed by then, so there is nothing to drain. Everyone who stops the client waits for its handlers.</summary>
    public async Task StopAsync(TimeSpan drain)
    {
        Task? worker;
        lock (_gate)
        {
            // From here on nothing is subscribed any more, so that all there is can be removed.
            _isStopped = true;
            worker = _worker;
        }
        _machine.TryMove(LinkState.Stopped, Reconnector.StoppedByRequest);
        _broker.Remove(_session);
        _inbox.Close();
        await _stopping.CancelAsync().ConfigureAwait(false);
        // A handler that stops its own client cannot be waited for.
        if (worker is not null && Handling.Value != this) await worker.ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => new(StopAsync(TimeSpan.Zero));

    /// <summary>The router's side.</summary>
    internal void Accept(in Delivery delivery) => _inbox.Add(delivery);

    private Route Publish(MqttMessage message)
    {
        var limits = _broker.Options.Limits;
        var topic = Encoding.UTF8.GetBytes(message.Topic);
        if (!TopicName.IsValid(topic) || topic.Length > limits.TopicBytes || TopicName.CountLevels(topic) > limits.TopicLevels)
        {
            throw new MqttRefusedException((byte)MqttReasonCode.TopicNameInvalid, $"{message.Topic} is not a topic name");
        }
        long? expiresAt = message.MessageExpirySeconds is { } seconds ? _broker.Now + (seconds * 1000L) : null;
        using var span = MqttTracing.BeginReceipt(topic, ClientId, message.QualityOfService, message.Payload.Length, message.Trace);
        var trace = span.Context ?? message.Trace;
        var properties = LocalMessages.Encode(ReferenceEquals(trace, message.Trace) ? message : message with { Trace = trace });
        var routed = RoutedMessage.Create(topic, message.Payload.Span, message.QualityOfService, message.Retain, properties, expiresAt, _session);
        routed.Trace = trace;
        return _broker.Publish(routed);
    }

    private async ValueTask WaitForRoomAsync(Route route, CancellationToken cancellationToken)
    {
        foreach (var target in route.Targets)
        {
            if (target.Session.Local is not { } local) continue;
            var room = local._inbox.WaitForRoomAsync();
            if (room.IsCompleted) continue;
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token);
            await room.WaitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private async Task RunAsync()
    {
        Handling.Value = this;
        var batch = new List<(Delivery Delivery, LocalHandler? Only)>();
        while (await _inbox.TakeAsync(batch).ConfigureAwait(false))
        {
            foreach (var (delivery, only) in batch)
            {
                if (_stopping.IsCancellationRequested) return;
                await DispatchAsync(delivery, only).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask DispatchAsync(Delivery delivery, LocalHandler? only)
    {
        if (only is not null)
        {
            await InvokeAsync(only, delivery).ConfigureAwait(false);
            return;
        }
        LocalHandler[]? exact;
        LocalHandler[] wildcards;
        lock (_gate)
        {
            _exact.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(delivery.Message.Topic, out exact);
            wildcards = _wildcards;
        }
        foreach (var handler in exact ?? []) await InvokeAsync(handler, delivery).ConfigureAwait(false);
        foreach (var handler in wildcards)
        {
            if (TopicFilter.Matches(handler.Filter, delivery.Message.Topic)) await InvokeAsync(handler, delivery).ConfigureAwait(false);
        }
    }

    private async ValueTask InvokeAsync(LocalHandler handler, Delivery delivery)
    {
        try
        {
            var message = LocalMessages.Decode(delivery.Message, handler.Topic, delivery.QualityOfService, delivery.Retain, delivery.Identifiers);
            await handler.Invoke(message, _stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // It was told to end.
        }
        catch (Exception error)
        {
            // A handler's failure is its own; the next message must still arrive.
            _broker.Log.HandlerFailed(ClientId, error);
        }
    }

    private void Change(LocalHandler handler, bool add)
    {
        if (handler.Topic is null)
        {
            _wildcards = add ? [.. _wildcards, handler] : [.. _wildcards.Where(other => other != handler)];
            return;
        }
        _exact.TryGetValue(handler.Filter, out var handlers);
        LocalHandler[] changed = add ? [.. handlers ?? [], handler] : [.. (handlers ?? []).Where(other => other != handler)];
        if (changed.Length == 0) _exact.Remove(handler.Filter);
        else _exact[handler.Filter] = changed;
    }

    private void ThrowIfStopped_NeedsLock()
    {
        if (_isStopped) throw new InvalidOperationException($"client {ClientId} is stopped");
    }

    private void Unsubscribe(byte[] key, LocalHandler handler)
    {
        _inbox.Cancel(handler);
        lock (_gate)
        {
            Change(handler, add: false);
            var isUsed = handler.Topic is null
                ? _wildcards.Any(other => other.Filter.AsSpan().SequenceEqual(handler.Filter))
                : _exact.ContainsKey(handler.Filter);
            if (isUsed || _session.FindSubscription(key) is not { } subscription) return;
            _session.Forget(subscription);
            _broker.Subscriptions.Remove(subscription);
        }
    }

    private sealed class Registration(LocalClient client, byte[] key, LocalHandler handler) : IAsyncDisposable
    {
        private int _isDisposed;

        public ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref _isDisposed, 1) == 0) client.Unsubscribe(key, handler);
            return default;
        }
    }
}
