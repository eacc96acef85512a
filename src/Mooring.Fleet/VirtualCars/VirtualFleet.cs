using Microsoft.Extensions.Logging;
using Mooring.Fleet.Configuration;
using Mooring.Kernel.Options;
using Mooring.Mqtt;

namespace Mooring.Fleet.VirtualCars;

/// <summary>
/// Cars that are played: to an external server they are real ones, with gateways that count strictly, give up after the times that
/// real gateways keep, and come back.
/// </summary>
public sealed partial class VirtualFleet : IAsyncDisposable
{
    /// <summary>Subscriptions on their way at a time: a broker need not take thousands in one gulp.</summary>
    private const int SubscribingMax = 64;

    private static readonly TimeSpan DrainMax = TimeSpan.FromSeconds(1);

    private readonly VirtualCarOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly FleetTally _tally = new();
    private readonly List<VirtualLink> _links = [];
    private readonly List<VirtualCar> _cars = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _refused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _running = Task.CompletedTask;
    private Task? _stopped;

    /// <summary>Makes the cars; <see cref="Start"/> switches them on.</summary>
    /// <param name="options">Which cars, and how they behave.</param>
    /// <param name="createClient">Makes a client with a given id for the cars' broker.</param>
    /// <param name="time">Clock of the cars.</param>
    /// <param name="logger">Told about sessions.</param>
    /// <exception cref="ConfigurationException">With everything that is wrong in the options.</exception>
    public VirtualFleet(VirtualCarOptions options, Func<string, IMqttClient> createClient, TimeProvider time, ILogger<VirtualFleet> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(createClient);
        var errors = new OptionsErrors();
        options.Validate(errors);
        errors.ThrowIfAny("virtual cars");
        _options = options;
        _time = time;
        _logger = logger;
        var isShared = options.Connections == FleetConnections.Shared;
        foreach (var name in options.Names)
        {
            var car = new VirtualCar(options, name, _cars.Count, _tally, time, logger);
            if (!isShared) _links.Add(new VirtualLink(createClient($"{options.Company}/{name}")));
            else if (_links.Count < options.SharedConnections) _links.Add(new VirtualLink(createClient($"virtual-cars-{Guid.NewGuid().ToString("N")[..12]}")));
            _links[isShared ? _cars.Count % options.SharedConnections : ^1].Add(car);
            _cars.Add(car);
        }
    }

    /// <summary>What the cars have done so far.</summary>
    public VirtualFleetView View => new()
    {
        Cars = _cars.Count,
        Running = _tally.CarsRunning,
        Sessions = _tally.Sessions.Value,
        Ended = _tally.Ended.Value,
        StatusesSent = _tally.StatusesSent.Value,
        StatusesAnswered = _tally.StatusesAnswered.Value,
        Commands = _tally.Commands.Value,
        EmptyCommands = _tally.EmptyCommands.Value,
        RoundTripCounts = _tally.RoundTrips.Snapshot(),
    };

    /// <summary>Why the cars cannot reach their broker; null while all can.</summary>
    public string? Problem
    {
        get
        {
            var down = _links.Where(l => l.Problem is not null).ToList();
            return down.Count == 0 ? null : $"{down.Count} of {_links.Count} connection(s) to the broker down: {down[0].Problem}";
        }
    }

    /// <summary>Faults with a <see cref="MqttRefusedException"/> when the broker refuses the cars for good.</summary>
    public Task Refused => _refused.Task;

    internal IReadOnlyList<VirtualCar> Cars => _cars;

    /// <summary>Switches the cars on. They wait for the broker and for their server as long as it takes.</summary>
    public void Start() => _running = RunAsync(_stopping.Token);

    /// <summary>Waits until this many cars have a session at the same time.</summary>
    /// <param name="count">How many.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public Task WhenRunningAsync(int count, CancellationToken cancellationToken) =>
        _tally.WhenRunningAsync(running => running >= count, cancellationToken);

    /// <summary>Switches the cars off: their devices take leave, then the connections are closed.</summary>
    public Task StopAsync()
    {
        lock (_cars) return _stopped ??= StopOnceAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        foreach (var link in _links) await link.Client.DisposeAsync();
        foreach (var car in _cars) car.Dispose();
        _stopping.Dispose();
    }

    internal Task WhenRunningExactlyAsync(int count, CancellationToken cancellationToken) =>
        _tally.WhenRunningAsync(running => running == count, cancellationToken);

    private async Task StopOnceAsync()
    {
        await _stopping.CancelAsync();
        // Who cannot say goodbye in time is cut off by the clients' end.
        await Task.WhenAny(_running, Task.Delay(DrainMax, _time, CancellationToken.None));
        await Task.WhenAll(_links.Select(l => l.Client.StopAsync(DrainMax)));
        await _running;
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        var driving = new List<Task>();
        try
        {
            foreach (var link in _links) _ = StartAsync(link.Client, cancellationToken);
            var limit = new ParallelOptions { MaxDegreeOfParallelism = SubscribingMax, CancellationToken = cancellationToken };
            await Parallel.ForEachAsync(_links, limit, async (link, stop) =>
            {
                foreach (var car in link.Cars)
                {
                    await SubscribeAsync(link.Client, car, stop);
                    var delay = TimeSpan.FromSeconds(car.Number / _options.StartsPerSecond);
                    lock (driving) driving.Add(Task.Run(() => car.RunAsync(delay, cancellationToken), CancellationToken.None));
                }
            });
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Switched off before all were on.
        }
        await Task.WhenAll(driving);
    }

    private async Task StartAsync(IMqttClient client, CancellationToken cancellationToken)
    {
        try
        {
            await client.StartAsync(cancellationToken);
        }
        catch (MqttRefusedException e)
        {
            LogRefused(_logger, e.Message);
            _refused.TrySetException(e);
        }
        catch (OperationCanceledException)
        {
            // Switched off.
        }
    }

    private async Task SubscribeAsync(IMqttClient client, VirtualCar car, CancellationToken cancellationToken)
    {
        try
        {
            await client.SubscribeAsync(new MqttSubscription(car.ServerTopic), car.ReceiveAsync, cancellationToken);
            await client.SubscribeAsync(new MqttSubscription(car.NoteTopic), car.ReceiveNoteAsync, cancellationToken);
            car.OnSubscribed(client.State);
        }
        catch (MqttRefusedException e)
        {
            LogRefused(_logger, $"{car.ServerTopic}: {e.Message}");
            _refused.TrySetException(e);
        }
        catch (Exception e) when (e is InvalidOperationException or ObjectDisposedException)
        {
            // The client was refused, which has been told.
        }
    }

    [LoggerMessage(4302, LogLevel.Error, "The broker refused the virtual cars: {Reason}")]
    private static partial void LogRefused(ILogger logger, string reason);
}
