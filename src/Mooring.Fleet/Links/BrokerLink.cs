using Microsoft.Extensions.Logging;
using Mooring.Fleet.Cars;
using Mooring.Kernel.Links;
using Mooring.Mqtt;

namespace Mooring.Fleet.Links;

/// <summary>
/// One connection to the broker and the cars that use it. The client reconnects by itself; when the broker refuses us for
/// good, the client is thrown away and a new one is tried later, because an operator may mend it on the broker's side.
/// </summary>
internal sealed partial class BrokerLink : IAsyncDisposable
{
    /// <summary>Pause after a refusal. Longer than after a lost connection: only a person can cure it.</summary>
    internal static readonly TimeSpan RefusedDelay = TimeSpan.FromSeconds(10);

    private readonly Func<IMqttClient> _createClient;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly Dictionary<Car, LinkedCar> _cars = [];
    private readonly CancellationTokenSource _stopping = new();
    private volatile IMqttClient _client;
    private TaskCompletionSource<string> _ended = NewSignal();
    private Task _running = Task.CompletedTask;
    private volatile bool _isStopped;
    private volatile string? _problem = "not connected yet";

    internal BrokerLink(Func<IMqttClient> createClient, TimeProvider time, ILogger logger)
    {
        _createClient = createClient;
        _time = time;
        _logger = logger;
        _client = Create();
    }

    /// <summary>Why the broker cannot be reached; null while it is.</summary>
    internal string? Problem => _problem;

    internal int Cars
    {
        get { lock (_lock) return _cars.Count; }
    }

    internal void Start() => _running = RunAsync();

    internal ValueTask PublishAsync(MqttMessage message) => _client.EnqueueAsync(message, _stopping.Token);

    /// <summary>The car gets its messages and hears of the link. Returns when the broker has acknowledged, if it is there.</summary>
    internal async Task AttachAsync(Car car)
    {
        var linked = new LinkedCar(car);
        lock (_lock) _cars.Add(car, linked);
        await SubscribeAsync(linked, _client);
    }

    internal async Task DetachAsync(Car car)
    {
        LinkedCar? linked;
        lock (_lock)
            if (!_cars.Remove(car, out linked)) return;
        if (linked.Subscription is { } subscription) await subscription.DisposeAsync();
    }

    /// <summary>Sends what is queued for at most <paramref name="drain"/>, then ends.</summary>
    internal async Task StopAsync(TimeSpan drain)
    {
        if (_isStopped) return;
        _isStopped = true;
        await _client.StopAsync(drain);
        await _stopping.CancelAsync();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.Zero);
        await _client.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                var reason = await RunClientAsync();
                if (_isStopped) return;
                TellDown($"the broker refused: {reason}");
                LogRefused(_logger, reason, RefusedDelay.TotalSeconds);
                await Task.Delay(RefusedDelay, _time, _stopping.Token);
                await ReplaceClientAsync();
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The server stops.
        }
    }

    /// <summary>Runs one client to its end and returns why it ended.</summary>
    private async Task<string> RunClientAsync()
    {
        try
        {
            await _client.StartAsync(_stopping.Token);
        }
        catch (MqttRefusedException e)
        {
            return e.Message;
        }
        catch (InvalidOperationException e) when (_isStopped)
        {
            // The server stopped the client between two attempts.
            return e.Message;
        }
        return await _ended.Task.WaitAsync(_stopping.Token);
    }

    private IMqttClient Create()
    {
        var client = _createClient();
        client.LinkChanged += OnLinkChanged;
        return client;
    }

    private async Task ReplaceClientAsync()
    {
        var old = _client;
        old.LinkChanged -= OnLinkChanged;
        LinkedCar[] cars;
        IMqttClient fresh;
        lock (_lock)
        {
            _ended = NewSignal();
            _client = fresh = Create();
            cars = [.. _cars.Values];
        }
        await old.DisposeAsync();
        // They complete with the first connection.
        foreach (var car in cars) _ = SubscribeAsync(car, fresh);
    }

    private async Task SubscribeAsync(LinkedCar linked, IMqttClient client)
    {
        var topic = linked.Car.Settings.GatewayTopic;
        try
        {
            linked.Subscription = await client.SubscribeAsync(new MqttSubscription(topic), linked.ReceiveAsync, _stopping.Token);
            linked.IsSubscribed = true;
            if (client.State == LinkState.Up) linked.Car.Post(new CarEvent(CarEventKind.LinkUp));
        }
        catch (MqttRefusedException e)
        {
            LogSubscriptionRefused(_logger, topic, e.Message);
            linked.Car.Post(new CarEvent(CarEventKind.LinkDown, Reason: $"the broker refused {topic}: {e.Message}"));
        }
        catch (Exception e) when (e is OperationCanceledException or InvalidOperationException or ObjectDisposedException)
        {
            // The server stops, or this client was refused; its successor subscribes again.
        }
    }

    private void OnLinkChanged(LinkTransition move)
    {
        switch (move.To)
        {
            case LinkState.Up:
                _problem = null;
                LogUp(_logger);
                foreach (var linked in Snapshot())
                    if (linked.IsSubscribed) linked.Car.Post(new CarEvent(CarEventKind.LinkUp));
                break;
            case LinkState.Waiting:
                if (move.From == LinkState.Up) LogLost(_logger, move.Reason);
                else LogUnreachable(_logger, move.Reason);
                TellDown(move.From == LinkState.Up ? $"the broker was lost: {move.Reason}" : $"could not connect to the broker: {move.Reason}");
                break;
            case LinkState.Stopped:
                _ended.TrySetResult(move.Reason);
                break;
        }
    }

    private void TellDown(string problem)
    {
        var wasTold = _problem == problem;
        _problem = problem;
        if (wasTold) return;
        foreach (var linked in Snapshot()) linked.Car.Post(new CarEvent(CarEventKind.LinkDown, Reason: problem));
    }

    private LinkedCar[] Snapshot()
    {
        lock (_lock) return [.. _cars.Values];
    }

    private static TaskCompletionSource<string> NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(4100, LogLevel.Error, "The broker refused: {Reason}; next attempt in {Seconds} s")]
    private static partial void LogRefused(ILogger logger, string reason, double seconds);

    [LoggerMessage(4101, LogLevel.Warning, "Could not connect to the broker: {Reason}")]
    private static partial void LogUnreachable(ILogger logger, string reason);

    [LoggerMessage(4102, LogLevel.Warning, "The broker was lost: {Reason}")]
    private static partial void LogLost(ILogger logger, string reason);

    [LoggerMessage(4103, LogLevel.Information, "Connected to the broker")]
    private static partial void LogUp(ILogger logger);

    [LoggerMessage(4104, LogLevel.Error, "The broker refused the subscription to {Topic}: {Reason}")]
    private static partial void LogSubscriptionRefused(ILogger logger, string topic, string reason);

    private sealed class LinkedCar(Car car)
    {
        internal volatile bool IsSubscribed;

        internal Car Car => car;

        internal IAsyncDisposable? Subscription { get; set; }

        internal ValueTask ReceiveAsync(MqttMessage message, CancellationToken cancellationToken)
        {
            car.Receive(message.Payload.Span, message.Trace);
            return ValueTask.CompletedTask;
        }
    }
}
