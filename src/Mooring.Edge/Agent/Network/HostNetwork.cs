using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Protocol.Monitor;

namespace Mooring.Edge.Agent.Network;

/// <summary>What the network monitor told of the host: interfaces and serial devices. Remembered while the monitor is away.</summary>
/// <param name="logger">Told of events that cannot be read.</param>
internal sealed partial class HostNetwork(ILogger<HostNetwork> logger)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, HostInterface> _interfaces = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SerialDevice> _serial = new(StringComparer.Ordinal);
    private TaskCompletionSource _discovered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Raised with the name of an interface that came back, or is in another subnet now.</summary>
    public event Action<string>? InterfaceChanged;

    /// <summary>Raised when a device got another address, or lost it.</summary>
    public event Action<Lease>? LeaseChanged;

    /// <summary>Raised when all serial devices are known anew.</summary>
    public event Action? SerialDevicesDiscovered;

    /// <summary>Raised when a serial device came (true) or went.</summary>
    public event Action<SerialDevice, bool>? SerialDeviceChanged;

    /// <summary>Completes when the monitor has listed the interfaces since it was last connected.</summary>
    public Task Discovered
    {
        get
        {
            lock (_gate) return _discovered.Task;
        }
    }

    /// <summary>The interfaces by name, as they are now.</summary>
    public IReadOnlyDictionary<string, HostInterface> Interfaces
    {
        get
        {
            lock (_gate) return new Dictionary<string, HostInterface>(_interfaces, StringComparer.Ordinal);
        }
    }

    /// <summary>The serial devices, as they are now.</summary>
    public IReadOnlyList<SerialDevice> SerialDevices
    {
        get
        {
            lock (_gate) return [.. _serial.Values];
        }
    }

    /// <summary>Takes an event of the monitor.</summary>
    public void Apply(MonitorEvent told)
    {
        switch (told.Type)
        {
            case MonitorEvent.NetworkDiscovery when Read(told, MonitorJson.Default.InterfaceList) is { Interfaces: { } interfaces }:
                Discover(interfaces);
                break;
            case MonitorEvent.NetworkChange when Read(told, MonitorJson.Default.InterfaceState) is { Name: { } } changed:
                Change(changed);
                break;
            case MonitorEvent.DhcpUpdate when Read(told, MonitorJson.Default.Lease) is { ContainerName: { }, VnicName: { } } lease:
                LeaseChanged?.Invoke(lease);
                break;
            case MonitorEvent.DeviceDiscovery when Read(told, MonitorJson.Default.SerialDeviceList) is { Devices: { } devices }:
                Discover(devices);
                break;
            case MonitorEvent.DeviceChange when Read(told, MonitorJson.Default.SerialDeviceChange) is { Device: { } } change:
                Change(change);
                break;
        }
    }

    /// <summary>The monitor is away: what it told may be old, but is all there is.</summary>
    public void Disconnect()
    {
        lock (_gate)
            if (_discovered.Task.IsCompleted) _discovered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private void Discover(IReadOnlyList<InterfaceState> interfaces)
    {
        List<string> changed;
        TaskCompletionSource discovered;
        lock (_gate)
        {
            var former = new Dictionary<string, HostInterface>(_interfaces, StringComparer.Ordinal);
            _interfaces.Clear();
            foreach (var state in interfaces) _interfaces[state.Name] = Of(state);
            // What was not known before is no change: the devices are attached anyway when the monitor comes.
            changed = [.. _interfaces.Values.Where(i => former.TryGetValue(i.Name, out var old) && old.Subnet != i.Subnet).Select(i => i.Name)];
            discovered = _discovered;
        }
        discovered.TrySetResult();
        foreach (var name in changed) InterfaceChanged?.Invoke(name);
    }

    private void Change(InterfaceState changed)
    {
        var state = changed.Status is "down" or "removed" ? null : Of(changed);
        bool isSame;
        lock (_gate)
        {
            // Monitors repeat all interfaces every half minute.
            isSame = state is not null && _interfaces.TryGetValue(changed.Name, out var old) && old.Subnet == state.Subnet;
            if (state is null) _interfaces.Remove(changed.Name);
            else _interfaces[changed.Name] = state;
        }
        if (state is not null && !isSame) InterfaceChanged?.Invoke(changed.Name);
    }

    private void Discover(IReadOnlyList<SerialDevice> devices)
    {
        lock (_gate)
        {
            _serial.Clear();
            foreach (var device in devices)
                if (KeyOf(device) is { } key) _serial[key] = device;
        }
        SerialDevicesDiscovered?.Invoke();
    }

    private void Change(SerialDeviceChange change)
    {
        if (KeyOf(change.Device) is not { } key) return;
        var isThere = change.Action == "add";
        lock (_gate)
        {
            if (isThere) _serial[key] = change.Device;
            else _serial.Remove(key);
        }
        SerialDeviceChanged?.Invoke(change.Device, isThere);
    }

    private T? Read<T>(MonitorEvent told, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return told.Data.Deserialize(type);
        }
        catch (JsonException e)
        {
            LogUnreadable(logger, told.Type, e.Message);
            return null;
        }
    }

    private static string? KeyOf(SerialDevice device) => device.ById ?? device.Path;

    private static HostInterface Of(InterfaceState state) => new()
    {
        Name = state.Name,
        IsWifi = state.Type == "wifi",
        Addresses = [.. state.Addresses.Select(a => new HostAddress(a.Address, a.PrefixLength, a.Subnet))],
        Gateway = state.Gateway,
        Mac = state.Mac,
    };

    [LoggerMessage(7015, LogLevel.Warning, "the network monitor's event {Type} cannot be read: {Reason}")]
    private static partial void LogUnreadable(ILogger logger, string type, string reason);
}
