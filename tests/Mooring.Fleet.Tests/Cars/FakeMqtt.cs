using Mooring.Kernel.Links;
using Mooring.Mqtt;

namespace Mooring.Fleet.Tests.Cars;

/// <summary>A broker in memory: exact topics, ordered, can be cut.</summary>
internal sealed class FakeMqtt : IMqttClient
{
    private readonly Dictionary<string, MqttMessageHandler> _handlers = [];
    private readonly Lock _lock = new();
    private readonly List<MqttMessage> _published = [];
    private TaskCompletionSource _changed = new();

    public string ClientId => "fake";

    public LinkState State { get; private set; } = LinkState.Idle;

    public event Action<LinkTransition>? LinkChanged;

    public IReadOnlyList<MqttMessage> Published
    {
        get { lock (_lock) return [.. _published]; }
    }

    /// <summary>The broker refuses this client for good.</summary>
    public string? Refusal { get; init; }

    /// <summary>The broker is not there until <see cref="Move"/> says so.</summary>
    public bool IsUnreachable { get; init; }

    public bool IsDisposed { get; private set; }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (Refusal is not null)
        {
            Move(LinkState.Stopped);
            throw new MqttRefusedException(0x86, Refusal);
        }
        if (IsUnreachable) await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        Move(LinkState.Up);
    }

    public ValueTask PublishAsync(MqttMessage message, CancellationToken cancellationToken = default) =>
        EnqueueAsync(message, cancellationToken);

    public ValueTask EnqueueAsync(MqttMessage message, CancellationToken cancellationToken = default)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            _published.Add(message with { Payload = message.Payload.ToArray() });
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        changed.TrySetResult();
        return ValueTask.CompletedTask;
    }

    public ValueTask<IAsyncDisposable> SubscribeAsync(
        MqttSubscription subscription, MqttMessageHandler handler, CancellationToken cancellationToken = default)
    {
        lock (_lock) _handlers[subscription.Filter] = handler;
        return new ValueTask<IAsyncDisposable>(new Unsubscribe());
    }

    public Task StopAsync(TimeSpan drain) => Task.CompletedTask;

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return ValueTask.CompletedTask;
    }

    public void Move(LinkState to)
    {
        var from = State;
        State = to;
        LinkChanged?.Invoke(new LinkTransition(from, to, "test", DateTimeOffset.UnixEpoch));
    }

    public ValueTask DeliverAsync(string topic, byte[] payload)
    {
        MqttMessageHandler? handler;
        lock (_lock) handler = _handlers.GetValueOrDefault(topic);
        return handler is null
            ? ValueTask.CompletedTask
            : handler(new MqttMessage { Topic = topic, Payload = payload }, CancellationToken.None);
    }

    public async Task<IReadOnlyList<MqttMessage>> WhenPublishedAsync(int count, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_published.Count >= count) return [.. _published];
                changed = _changed.Task;
            }
            await changed.WaitAsync(cancellationToken);
        }
    }

    private sealed class Unsubscribe : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
