using System.Text;
using Mooring.Kernel.Links;
using Mooring.Mqtt.Broker.Routing;
using Mooring.Mqtt.Broker.Sessions;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker.Local;

/// <summary>A session without a connection: same router, no sockets. One worker runs its handlers, in order.</summary>
internal sealed class LocalClient : IMqttClient
{
    private const int BatchMessages = 256;

    private readonly MqttBroker _broker;
    private readonly Session _session;
    private readonly Lock _gate = new();
    private readonly Queue<(Delivery Delivery, Handler? Only)> _queue = new();
    private readonly Queue<(RetainedCursor Cursor, Handler Handler)> _retained = new();
    private readonly SemaphoreSlim _signal = new(0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Dictionary<byte[], Handler[]> _exact = new(Utf8Comparer.Instance);
    private Handler[] _wildcards = [];
    private TaskCompletionSource? _room;
    private Task _worker = Task.CompletedTask;

    internal LocalClient(MqttBroker broker, string clientId)
    {
        _broker = broker;
        ClientId = clientId;
        _session = new Session(clientId, broker.Options.Limits, broker.Counters) { Local = this };
    }

    public event Action<LinkTransition>? LinkChanged;

    public string ClientId { get; }

    public LinkState State { get; private set; } = LinkState.Idle;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (State != LinkState.Idle) return Task.CompletedTask;
            if (!_broker.TryAdd(_session)) throw new MqttRefusedException((byte)MqttReasonCode.ClientIdentifierNotValid, $"client id {ClientId} is in use");
            _worker = Task.Run(RunAsync, CancellationToken.None);
            Move(LinkState.Connecting, "started");
            Move(LinkState.Up, "in-process");
        }
        return Task.CompletedTask;
    }

    public async ValueTask PublishAsync(MqttMessage message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (State != LinkState.Up) throw new InvalidOperationException($"client {ClientId} is not started, or stopped");
        cancellationToken.ThrowIfCancellationRequested();
        var route = Route(message);
        // A handler that publishes to itself must not wait for itself.
        foreach (var target in route.Targets)
        {
            if (target.Session.Local is { } local && local != this) await local.WaitForRoomAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public ValueTask EnqueueAsync(MqttMessage message, CancellationToken cancellationToken = default) => PublishAsync(message, cancellationToken);

    public ValueTask<IAsyncDisposable> SubscribeAsync(
        MqttSubscription subscription, MqttMessageHandler handler, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(subscription);
        ArgumentNullException.ThrowIfNull(handler);
        var key = Encoding.UTF8.GetBytes(subscription.Filter);
        if (!TopicFilter.IsValid(key) || !TopicFilter.TrySplitShare(key, out var share, out var inner))
        {
            throw new MqttRefusedException((byte)MqttReasonCode.TopicFilterInvalid, $"{subscription.Filter} is not a topic filter");
        }
        var filter = inner.ToArray();
        var added = new Handler(filter, TopicFilter.HasWildcards(filter) ? null : Encoding.UTF8.GetString(filter), handler);
        var options = (byte)((int)subscription.MaximumQualityOfService | (subscription.NoLocal ? 4 : 0)
            | (subscription.RetainAsPublished ? 8 : 0) | ((int)subscription.RetainHandling << 4));
        var made = new Subscription(_session, key, filter, share.ToArray(), options, subscription.Identifier ?? 0);
        Subscription? former;
        lock (_gate)
        {
            Change(added, add: true);
            former = _session.FindSubscription(key);
            _session.TryKeep(made);
            _broker.Subscriptions.Set(made, former);
        }
        if (share.IsEmpty && (subscription.RetainHandling == RetainHandling.SendAtSubscribe
            || (subscription.RetainHandling == RetainHandling.SendIfNew && former is null)))
        {
            AcceptRetained(made, added);
        }
        return ValueTask.FromResult<IAsyncDisposable>(new Registration(this, made.Key, added));
    }

    public async Task StopAsync(TimeSpan drain)
    {
        TaskCompletionSource? room;
        lock (_gate)
        {
            if (State == LinkState.Stopped) return;
            Move(LinkState.Stopped, "stopped");
            room = _room;
            _room = null;
        }
        _broker.Remove(_session);
        room?.TrySetResult();
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _worker.ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.Zero).ConfigureAwait(false);
        _stopping.Dispose();
        _signal.Dispose();
    }

    /// <summary>The router's side. Beyond the bound nothing is kept: a handler that cannot keep up must not fill the memory.</summary>
    internal void Accept(in Delivery delivery) => Enqueue(delivery, only: null);

    /// <summary>Publishers in the process wait at half of the bound; the other half is for those that cannot be made to wait.</summary>
    private Task WaitForRoomAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_queue.Count < _broker.Options.Limits.LocalQueuedMessages / 2 || State != LinkState.Up) return Task.CompletedTask;
            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task.WaitAsync(cancellationToken);
        }
    }

    private Route Route(MqttMessage message)
    {
        var limits = _broker.Options.Limits;
        var topic = Encoding.UTF8.GetBytes(message.Topic);
        if (!TopicName.IsValid(topic) || topic.Length > limits.TopicBytes || TopicName.CountLevels(topic) > limits.TopicLevels)
        {
            throw new MqttRefusedException((byte)MqttReasonCode.TopicNameInvalid, $"{message.Topic} is not a topic name");
        }
        long? expiresAt = message.MessageExpirySeconds is { } seconds ? _broker.Now + (seconds * 1000L) : null;
        _broker.Publish(RoutedMessage.Create(
            topic, message.Payload.Span, message.QualityOfService, message.Retain, LocalMessages.Encode(message), expiresAt, _session));
        return _broker.Subscriptions.Find(topic);
    }

    private void AcceptRetained(Subscription made, Handler handler)
    {
        var rest = _broker.BeginRetained(made, delivery => Enqueue(delivery, handler));
        lock (_gate)
        {
            if (rest is not null) _retained.Enqueue((rest, handler));
            _signal.Release();
        }
    }

    /// <summary>Worker only: retained messages for new subscriptions with wildcards, as long as there is room. True if more may come.</summary>
    private bool StepRetained()
    {
        (RetainedCursor Cursor, Handler Handler) next;
        lock (_gate)
        {
            if (!_retained.TryPeek(out next)) return false;
        }
        if (next.Cursor.Step(_broker.Now, HasRoom, delivery => Enqueue(delivery, next.Handler))) return true;
        next.Cursor.Dispose();
        lock (_gate)
        {
            _retained.Dequeue();
            return _retained.Count > 0;
        }
    }

    private bool HasRoom()
    {
        lock (_gate) return _queue.Count < _broker.Options.Limits.LocalQueuedMessages / 2;
    }

    private void Enqueue(in Delivery delivery, Handler? only)
    {
        lock (_gate)
        {
            if (State != LinkState.Up) return;
            if (_queue.Count >= _broker.Options.Limits.LocalQueuedMessages)
            {
                _broker.Counters.DroppedQueueFull();
                return;
            }
            _queue.Enqueue((delivery, only));
            if (_queue.Count == 1) _signal.Release();
        }
    }

    private async Task RunAsync()
    {
        var batch = new List<(Delivery Delivery, Handler? Only)>(BatchMessages);
        try
        {
            while (true)
            {
                await _signal.WaitAsync(_stopping.Token).ConfigureAwait(false);
                while (StepRetained() | Take(batch))
                {
                    foreach (var (delivery, only) in batch) await DispatchAsync(delivery, only).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Stopping is the only way out.
        }
    }

    private bool Take(List<(Delivery Delivery, Handler? Only)> batch)
    {
        TaskCompletionSource? room = null;
        batch.Clear();
        lock (_gate)
        {
            while (batch.Count < BatchMessages && _queue.TryDequeue(out var next)) batch.Add(next);
            if (_queue.Count < _broker.Options.Limits.LocalQueuedMessages / 2)
            {
                room = _room;
                _room = null;
            }
        }
        room?.TrySetResult();
        return batch.Count > 0;
    }

    private async ValueTask DispatchAsync(Delivery delivery, Handler? only)
    {
        if (only is not null)
        {
            await InvokeAsync(only, delivery).ConfigureAwait(false);
            return;
        }
        Handler[]? exact;
        Handler[] wildcards;
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

    private async ValueTask InvokeAsync(Handler handler, Delivery delivery)
    {
        try
        {
            var message = LocalMessages.Decode(delivery.Message, handler.Topic, delivery.QualityOfService, delivery.Retain, delivery.Identifiers);
            await handler.Invoke(message, _stopping.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (!_stopping.IsCancellationRequested)
        {
            // A handler's failure is its own; the next message must still arrive.
            _broker.Log.HandlerFailed(ClientId, error);
        }
    }

    private void Change(Handler handler, bool add)
    {
        if (handler.Topic is null)
        {
            _wildcards = add ? [.. _wildcards, handler] : [.. _wildcards.Where(other => other != handler)];
            return;
        }
        _exact.TryGetValue(handler.Filter, out var handlers);
        Handler[] changed = add ? [.. handlers ?? [], handler] : [.. (handlers ?? []).Where(other => other != handler)];
        if (changed.Length == 0) _exact.Remove(handler.Filter);
        else _exact[handler.Filter] = changed;
    }

    private void Move(LinkState to, string reason)
    {
        var from = State;
        State = to;
        LinkChanged?.Invoke(new LinkTransition(from, to, reason, _broker.Time.GetUtcNow()));
    }

    private void Unsubscribe(byte[] key, Handler handler)
    {
        lock (_gate)
        {
            Change(handler, add: false);
            foreach (var (cursor, _) in _retained.Where(entry => entry.Handler == handler)) cursor.Cancel();
            var isUsed = handler.Topic is null
                ? _wildcards.Any(other => other.Filter.AsSpan().SequenceEqual(handler.Filter))
                : _exact.ContainsKey(handler.Filter);
            if (isUsed || _session.FindSubscription(key) is not { } subscription) return;
            _session.Forget(subscription);
            _broker.Subscriptions.Remove(subscription);
        }
    }

    private sealed record Handler(byte[] Filter, string? Topic, MqttMessageHandler Invoke);

    private sealed class Registration(LocalClient client, byte[] key, Handler handler) : IAsyncDisposable
    {
        private int _isDisposed;

        public ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref _isDisposed, 1) == 0) client.Unsubscribe(key, handler);
            return default;
        }
    }
}
