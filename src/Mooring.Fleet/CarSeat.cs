using Microsoft.Extensions.Logging;
using Mooring.Fleet.Cars;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.Links;
using Mooring.Kernel.Events;

namespace Mooring.Fleet;

/// <summary>The place of one configured car: what it was configured with, and the car itself while it is enabled.</summary>
internal sealed class CarSeat(
    CarSettings settings, CarOptions options, IModuleLoader loader, TimeProvider time, ILogger logger, OperatorEvents? events = null)
{
    private readonly List<ModuleSlot> _slots = [];
    private BrokerLinks? _links;
    private BrokerLink? _link;

    internal CarOptions Options => options;

    internal CarSettings Settings => settings;

    /// <summary>Null while the car is disabled, or when a module of it cannot be used.</summary>
    internal Car? Car { get; private set; }

    /// <summary>Why the car's modules cannot be used.</summary>
    internal string? LoadFailure { get; private set; }

    internal CarState State => Car?.State ?? (LoadFailure is null ? CarState.Stopped : CarState.Error);

    internal CarGlance Glance => new(options.Name, options.IsEnabled, State)
    {
        Session = State == CarState.Running ? Car!.SessionId : null,
        Devices = Car?.DeviceCount ?? 0,
        Statuses = Car is { } receiving ? Interlocked.Read(ref receiving.Counters.StatusesReceived) : 0,
        Commands = Car is { } sending ? Interlocked.Read(ref sending.Counters.CommandsSent) : 0,
        Problem = State == CarState.Error ? LoadFailure ?? Car?.LastFailure?.Reason : null,
    };

    internal bool IsSame(CarSettings otherSettings, CarOptions otherOptions) =>
        settings == otherSettings && options == otherOptions && LoadFailure is null;

    internal async Task LoadAsync(CancellationToken cancellationToken)
    {
        if (!options.IsEnabled) return;
        foreach (var module in options.Modules)
        {
            try
            {
                _slots.Add(await loader.LoadAsync(module, settings.Company, settings.Name, cancellationToken));
            }
            catch (ModuleException e)
            {
                LoadFailure = $"car {settings.Name}: {e.Message}";
                await StopSlotsAsync();
                return;
            }
        }
    }

    /// <summary>The car listens from now on; its modules may give commands.</summary>
    internal void Listen(BrokerLinks links)
    {
        if (!options.IsEnabled || LoadFailure is not null) return;
        _links = links;
        var link = _link = links.Take();
        var car = Car = new Car(settings, _slots, link.PublishAsync, time, logger) { Events = events };
        // Completes with the first connection; until then the car is there and says so.
        _ = link.AttachAsync(car);
        foreach (var slot in _slots) slot.Start();
    }

    /// <summary>Ends the session with a note and destroys the modules. The link stays as it is.</summary>
    internal Task StopAsync(string reason) => Car is { } car ? car.StopAsync(reason) : StopSlotsAsync();

    /// <summary>As <see cref="StopAsync"/>, for a car whose link goes on: nothing is received from it any more.</summary>
    internal async Task LeaveAsync(string reason)
    {
        if (_link is { } link) await link.DetachAsync(Car!);
        await StopAsync(reason);
        if (_link is not null) await _links!.ReturnAsync(_link);
    }

    private async Task StopSlotsAsync()
    {
        foreach (var slot in _slots) await slot.StopAsync();
        _slots.Clear();
    }
}
