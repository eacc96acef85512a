using Microsoft.Extensions.Logging;
using Mooring.Fleet.Cars;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.Links;
using Mooring.Kernel.Events;
using Mooring.Mqtt;

namespace Mooring.Fleet;

/// <summary>All cars of one company. Nothing waits for a broker to be there, and no car waits for another.</summary>
public sealed partial class FleetServer : IAsyncDisposable
{
    /// <summary>How often deadlines are looked at. A quarter of a second is little against time-outs of seconds.</summary>
    public static readonly TimeSpan TickPeriod = TimeSpan.FromMilliseconds(250);

    /// <summary>Longest time that sessions and modules get to end, whatever modules do.</summary>
    public static readonly TimeSpan StopMax = TimeSpan.FromSeconds(2);

    /// <summary>Longest time in which the notes may leave, as the original waits for their acknowledgement.</summary>
    public static readonly TimeSpan DrainMax = TimeSpan.FromMilliseconds(700);

    private readonly Func<FleetOptions, string, IMqttClient> _createClient;
    private readonly IModuleLoader _loader;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly OperatorEvents? _events;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _changing = new(1);
    private volatile FleetOptions _options;
    private volatile IReadOnlyDictionary<string, CarSeat> _seats = new Dictionary<string, CarSeat>();
    private readonly FleetMetrics _metrics;
    private BrokerLinks _links;
    private Task _ticking = Task.CompletedTask;

    internal FleetServer(
        FleetOptions options, Func<FleetOptions, string, IMqttClient> createClient, IModuleLoader loader, TimeProvider time,
        ILogger<FleetServer> logger, OperatorEvents? events = null)
    {
        _options = options;
        _createClient = createClient;
        _loader = loader;
        _time = time;
        _logger = logger;
        _events = events;
        _links = CreateLinks(options);
        _metrics = new FleetMetrics(this);
    }

    /// <summary>What the server runs with.</summary>
    public FleetOptions Options => _options;

    /// <summary>Why the server should not get traffic yet; null when all is well.</summary>
    public string? Problem => _links.Problem;

    /// <summary>All cars as they are now.</summary>
    public IEnumerable<CarGlance> Cars => _seats.Values.Select(seat => seat.Glance);

    internal IReadOnlyDictionary<string, CarSeat> Seats => _seats;

    internal int LinkCount => _links.Count;

    /// <summary>Loads the modules of all cars, then lets the cars listen.</summary>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <exception cref="FleetStartException">A module cannot be used, and the options do not allow to start without its car.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken);
        try
        {
            var seats = new Dictionary<string, CarSeat>(StringComparer.Ordinal);
            foreach (var car in _options.Cars) seats.Add(car.Name, NewSeat(_options, car));
            await LoadAsync(seats.Values, _options.StartPartially, cancellationToken);
            _seats = seats;
            foreach (var seat in seats.Values) seat.Listen(_links);
            _ticking = TickAsync();
            LogStarted(_logger, seats.Count, _options.Company, _options.Broker.ToString());
            LogConfiguration(_logger, _options);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Takes over other options. Only cars whose options changed lose their session.</summary>
    /// <param name="next">The options to run with from now on.</param>
    /// <param name="cancellationToken">Cancels while modules are loaded.</param>
    /// <exception cref="FleetStartException">A module cannot be used; then everything stays as it was.</exception>
    public async Task ReloadAsync(FleetOptions next, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(next);
        await _changing.WaitAsync(cancellationToken);
        try
        {
            var old = _seats;
            var seats = new Dictionary<string, CarSeat>(StringComparer.Ordinal);
            var fresh = new List<CarSeat>();
            var keepsLinks = IsSameLink(_options, next);
            foreach (var car in next.Cars)
            {
                if (!keepsLinks || !old.TryGetValue(car.Name, out var seat) || !seat.IsSame(next.SettingsOf(car), car))
                    fresh.Add(seat = NewSeat(next, car));
                seats.Add(car.Name, seat);
            }
            await LoadAsync(fresh, next.StartPartially, cancellationToken);
            var gone = old.Values.Except(seats.Values).ToList();
            _seats = seats;
            _options = next;
            await LeaveAsync(gone, "the configuration was changed");
            if (!keepsLinks)
            {
                var formerLinks = _links;
                _links = CreateLinks(next);
                await formerLinks.StopAsync(DrainMax);
                await formerLinks.DisposeAsync();
            }
            foreach (var seat in fresh) seat.Listen(_links);
            LogReloaded(_logger, fresh.Count, seats.Count - fresh.Count, gone.Count);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Lets one car listen, or stops it, until the next reload or restart.</summary>
    internal async Task<bool> EnableAsync(string name, bool isEnabled, CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken);
        try
        {
            if (!_seats.TryGetValue(name, out var seat)) return false;
            if (seat.Options.IsEnabled == isEnabled) return true;
            var changed = NewSeat(_options, seat.Options with { IsEnabled = isEnabled });
            await LoadAsync([changed], startPartially: false, cancellationToken);
            _seats = new Dictionary<string, CarSeat>(_seats, StringComparer.Ordinal) { [name] = changed };
            await LeaveAsync([seat], isEnabled ? "enabled by an operator" : "disabled by an operator");
            changed.Listen(_links);
            _events?.Publish("fleet", name, isEnabled ? "car_enabled" : "car_disabled", EventSeverity.Notice, isEnabled ? "enabled by an operator" : "disabled by an operator");
            return true;
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Stops all cars side by side, sends their notes and closes the connections.</summary>
    public async Task StopAsync()
    {
        if (_stopping.IsCancellationRequested) return;
        await _stopping.CancelAsync();
        await _ticking;
        await WithinAsync(_seats.Values.Select(s => s.StopAsync("the server stops")));
        await _links.StopAsync(DrainMax);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _links.DisposeAsync();
        _metrics.Dispose();
        _stopping.Dispose();
        _changing.Dispose();
    }

    /// <summary>Looks at the deadlines of all cars once.</summary>
    internal void TickOnce()
    {
        foreach (var (_, seat) in _seats) seat.Car?.TickIfDue();
    }

    private static bool IsSameLink(FleetOptions a, FleetOptions b) =>
        a.Broker == b.Broker && a.Connections == b.Connections && a.SharedConnections == b.SharedConnections && a.RetryDelay == b.RetryDelay;

    private BrokerLinks CreateLinks(FleetOptions options) =>
        new(options.Connections, options.SharedConnections, id => _createClient(options, id), _time, _logger);

    private CarSeat NewSeat(FleetOptions options, CarOptions car) => new(options.SettingsOf(car), car, _loader, _time, _logger, _events);

    private async Task LoadAsync(IReadOnlyCollection<CarSeat> seats, bool startPartially, CancellationToken cancellationToken)
    {
        var failures = new List<string>();
        try
        {
            foreach (var seat in seats)
            {
                await seat.LoadAsync(cancellationToken);
                if (seat.LoadFailure is not { } failure) continue;
                failures.Add(failure);
                if (startPartially) LogLoadFailed(_logger, failure);
            }
            if (failures.Count > 0 && !startPartially) throw new FleetStartException(failures);
        }
        catch
        {
            await WithinAsync(seats.Select(s => s.StopAsync("the start failed")));
            throw;
        }
    }

    private async Task LeaveAsync(IReadOnlyList<CarSeat> seats, string reason)
    {
        await WithinAsync(seats.Select(s => s.LeaveAsync(reason)));
        foreach (var seat in seats)
            if (seat.Car is { } car) _metrics.Keep(car.Counters);
    }

    private async Task WithinAsync(IEnumerable<Task> stops)
    {
        Task[] all = [.. stops];
        try
        {
            await Task.WhenAll(all).WaitAsync(StopMax, _time);
        }
        catch (TimeoutException)
        {
            LogSlowStop(_logger, all.Count(s => !s.IsCompleted));
        }
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

    [LoggerMessage(4110, LogLevel.Information, "External server runs {Cars} car(s) of company '{Company}' with broker {Broker}")]
    private static partial void LogStarted(ILogger logger, int cars, string company, string broker);

    [LoggerMessage(4114, LogLevel.Information, "Configuration: {Options}")]
    private static partial void LogConfiguration(ILogger logger, FleetOptions options);

    [LoggerMessage(4111, LogLevel.Warning, "{Cars} car(s) did not stop in time")]
    private static partial void LogSlowStop(ILogger logger, int cars);

    [LoggerMessage(4112, LogLevel.Information, "Configuration taken over: {Changed} car(s) new or changed, {Kept} kept, {Gone} stopped")]
    private static partial void LogReloaded(ILogger logger, int changed, int kept, int gone);

    [LoggerMessage(4113, LogLevel.Error, "{Failure}")]
    private static partial void LogLoadFailed(ILogger logger, string failure);
}
