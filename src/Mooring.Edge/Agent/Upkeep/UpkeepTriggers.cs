using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Protocol.Monitor;

namespace Mooring.Edge.Agent.Upkeep;

/// <summary>Has devices looked at when something happens: to their containers, to the host's networks, to serial devices.</summary>
internal sealed partial class UpkeepTriggers : IDisposable
{
    /// <summary>Changes of an interface come in bursts: it is acted on when nothing more has come for this long.</summary>
    internal static readonly TimeSpan NetworkQuiet = TimeSpan.FromSeconds(3);

    /// <summary>Wait after the engine's stream of events ended.</summary>
    private static readonly TimeSpan StreamRetry = TimeSpan.FromSeconds(5);

    private static readonly string[] Actions = ["start", "die"];

    private readonly EngineClient _engine;
    private readonly AgentState _state;
    private readonly DeviceUpkeep _upkeep;
    private readonly VnicAttachment _vnics;
    private readonly SerialPorts _serial;
    private readonly HostNetwork _network;
    private readonly NetworkMonitorClient _monitor;
    private readonly AgentWork _work;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    public UpkeepTriggers(
        EngineClient engine, AgentState state, DeviceUpkeep upkeep, VnicAttachment vnics, SerialPorts serial, HostNetwork network,
        NetworkMonitorClient monitor, AgentWork work, TimeProvider time, ILogger<UpkeepTriggers> logger)
    {
        (_engine, _state, _upkeep, _vnics, _serial) = (engine, state, upkeep, vnics, serial);
        (_network, _monitor, _work, _time, _logger) = (network, monitor, work, time, logger);
        network.InterfaceChanged += OnInterface;
        network.LeaseChanged += vnics.Take;
        network.SerialDevicesDiscovered += OnSerialDevices;
        network.SerialDeviceChanged += OnSerialDevice;
        monitor.Connected += upkeep.AttachAll;
    }

    /// <summary>Follows the engine's events until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await FollowAsync(cancellationToken).ConfigureAwait(false);
                LogStream(_logger, "it ended");
            }
            catch (EngineException e)
            {
                LogStream(_logger, e.Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            _engine.ForgetVersion();
            await Task.Delay(StreamRetry, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // What happened meanwhile nobody told.
            foreach (var (device, _) in _state.Devices.Snapshot()) _upkeep.Ask(device, TimeSpan.Zero);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _network.InterfaceChanged -= OnInterface;
        _network.LeaseChanged -= _vnics.Take;
        _network.SerialDevicesDiscovered -= OnSerialDevices;
        _network.SerialDeviceChanged -= OnSerialDevice;
        _monitor.Connected -= _upkeep.AttachAll;
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        await foreach (var happened in _engine.EventsAsync(Actions, cancellationToken).ConfigureAwait(false))
        {
            if (_state.Devices.Find(happened.Name) is null) continue;
            _upkeep.Ask(happened.Name, happened.Action == "die" ? DeviceUpkeep.RestartDelay : TimeSpan.Zero);
        }
    }

    private void OnInterface(string name)
    {
        foreach (var (device, vnics) in _state.Vnics.Snapshot())
            if (vnics.Any(vnic => vnic.ParentInterface == name)) _upkeep.Renew(device, NetworkQuiet);
    }

    private void OnSerialDevices()
    {
        foreach (var (device, _) in _state.SerialPorts.Snapshot()) Sync(device);
    }

    private void OnSerialDevice(SerialDevice changed, bool isThere)
    {
        foreach (var (device, record) in _state.SerialPorts.Snapshot())
            if (record.Ports.Any(port => SerialPorts.IsMeant(port, changed))) Sync(device);
    }

    private void Sync(string device) => _work.Start($"serial ports of {device}", stop => _serial.SyncAsync(device, stop));

    [LoggerMessage(7036, LogLevel.Warning, "the engine's events are not followed now: {Reason}")]
    private static partial void LogStream(ILogger logger, string reason);
}
