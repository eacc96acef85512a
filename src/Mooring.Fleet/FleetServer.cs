using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Mooring.Fleet.Cars;
using Mooring.Kernel.Links;
using Mooring.Mqtt;

namespace Mooring.Fleet;

/// <summary>All cars of one company. Many cars share a few broker connections; nothing waits for a broker to be there.</summary>
public sealed partial class FleetServer : IAsyncDisposable
{
    /// <summary>How often deadlines are looked at. A quarter of a second is little against time-outs of seconds.</summary>
    public static readonly TimeSpan TickPeriod = TimeSpan.FromMilliseconds(250);

    /// <summary>Longest time that stopping may take, whatever modules and brokers do.</summary>
    public static readonly TimeSpan StopMax = TimeSpan.FromSeconds(3);

    private readonly ConcurrentDictionary<string, Seat> _seats = new();
    private readonly List<IMqttClient> _clients = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly Func<string, IMqttClient> _createClient;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly int _connectionsMax;
    private Task _ticking = Task.CompletedTask;
    private int _nextClient;

    internal FleetServer(
        Func<string, IMqttClient> createClient, int connectionsMax, TimeProvider time, ILogger<FleetServer> logger)
    {
        _createClient = createClient;
        _connectionsMax = connectionsMax;
        _time = time;
        _logger = logger;
    }

    internal IEnumerable<Car> Cars => _seats.Values.Select(s => s.Car);

    internal Car? Find(string name) => _seats.TryGetValue(name, out var seat) ? seat.Car : null;

    /// <summary>Begins to look at deadlines. Cars are added before or after.</summary>
    internal void Start() => _ticking = TickAsync();

    internal Car Add(CarSettings settings, IReadOnlyList<ModuleSlot> modules)
    {
        var client = NextClient();
        var car = new Car(settings, modules, client, _time, _logger);
        var seat = new Seat(car, client);
        if (!_seats.TryAdd(settings.Name, seat)) throw new InvalidOperationException($"car '{settings.Name}' exists already");
        seat.Subscribing = SubscribeAsync(seat);
        return car;
    }

    /// <summary>Stops one car and leaves the others alone.</summary>
    internal async Task RemoveAsync(string name, string reason)
    {
        if (!_seats.TryRemove(name, out var seat)) return;
        seat.Client.LinkChanged -= seat.OnLinkChanged;
        await seat.Car.StopAsync(reason);
        if (seat.Subscription is { } subscription) await subscription.DisposeAsync();
    }

    /// <summary>Stops all cars side by side, sends their notes and closes the connections.</summary>
    public async Task StopAsync()
    {
        if (_stopping.IsCancellationRequested) return;
        await _stopping.CancelAsync();
        await _ticking;
        var stops = Task.WhenAll(Cars.Select(c => c.StopAsync("the server stops")));
        try
        {
            await stops.WaitAsync(StopMax, _time);
        }
        catch (TimeoutException)
        {
            LogSlowStop(_logger, Cars.Count(c => c.State != CarState.Stopped));
        }
        await Task.WhenAll(_clients.Select(c => c.StopAsync(TimeSpan.FromSeconds(1))));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        foreach (var client in _clients) await client.DisposeAsync();
        _stopping.Dispose();
    }

    /// <summary>Looks at the deadlines of all cars once.</summary>
    internal void TickOnce()
    {
        foreach (var (_, seat) in _seats) seat.Car.TickIfDue();
    }

    private async Task TickAsync()
    {
        using var timer = new PeriodicTimer(TickPeriod, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token)) TickOnce();
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    private IMqttClient NextClient()
    {
        if (_clients.Count < _connectionsMax)
        {
            // 20 letters, as the original's client ids.
            var client = _createClient(Random.Shared.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 20));
            _clients.Add(client);
            _ = StartClientAsync(client);
            return client;
        }
        return _clients[_nextClient++ % _clients.Count];
    }

    private async Task StartClientAsync(IMqttClient client)
    {
        try
        {
            await client.StartAsync(_stopping.Token);
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
        catch (Exception e)
        {
            LogRefused(_logger, e.Message);
        }
    }

    private async Task SubscribeAsync(Seat seat)
    {
        seat.Client.LinkChanged += seat.OnLinkChanged;
        try
        {
            seat.Subscription = await seat.Client.SubscribeAsync(
                new MqttSubscription(seat.Car.Settings.GatewayTopic), seat.ReceiveAsync, _stopping.Token);
            seat.Subscribed();
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
        catch (Exception e)
        {
            LogRefused(_logger, e.Message);
        }
    }

    [LoggerMessage(4100, LogLevel.Error, "The broker refused: {Reason}")]
    private static partial void LogRefused(ILogger logger, string reason);

    [LoggerMessage(4101, LogLevel.Warning, "{Cars} car(s) did not stop in time")]
    private static partial void LogSlowStop(ILogger logger, int cars);

    private sealed class Seat(Car car, IMqttClient client)
    {
        private volatile bool _subscribed;

        internal Car Car => car;

        internal IMqttClient Client => client;

        internal IAsyncDisposable? Subscription { get; set; }

        internal Task Subscribing { get; set; } = Task.CompletedTask;

        internal ValueTask ReceiveAsync(MqttMessage message, CancellationToken cancellationToken)
        {
            car.Receive(message.Payload.Span);
            return ValueTask.CompletedTask;
        }

        internal void Subscribed()
        {
            _subscribed = true;
            if (client.State == LinkState.Up) car.Post(new CarEvent(CarEventKind.LinkUp));
        }

        internal void OnLinkChanged(LinkTransition move)
        {
            if (move.To == LinkState.Up && _subscribed) car.Post(new CarEvent(CarEventKind.LinkUp));
            else if (move.From == LinkState.Up) car.Post(new CarEvent(CarEventKind.LinkDown, Reason: $"broker lost: {move.Reason}"));
        }
    }
}
