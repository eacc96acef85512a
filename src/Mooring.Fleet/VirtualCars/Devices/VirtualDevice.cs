using Google.Protobuf;
using Mooring.Fleet.Protocol;

namespace Mooring.Fleet.VirtualCars.Devices;

/// <summary>A device of a virtual car, and what the car's gateway keeps for it.</summary>
internal abstract class VirtualDevice
{
    private readonly Queue<ByteString> _commands = new();

    protected VirtualDevice(VirtualDeviceOptions options) => Identity = new Device
    {
        Module = (Device.Types.Module)options.Module,
        DeviceType = (uint)options.Kind,
        DeviceRole = options.Role,
        DeviceName = options.Name,
    };

    internal Device Identity { get; }

    /// <summary>When its next status is due, on the car's clock.</summary>
    internal TimeSpan DueAt { get; set; }

    /// <summary>Statuses that no session carried. The next session tells, as the error aggregate of a real gateway does.</summary>
    internal int Missed { get; set; }

    internal static VirtualDevice Create(VirtualDeviceOptions options, int number) => options.Kind switch
    {
        VirtualDeviceKind.Button => new ButtonDevice(options),
        VirtualDeviceKind.Drive => new DriveDevice(options, number),
        _ => new EchoDevice(options),
    };

    /// <summary>Whether both are the same device: name and priority do not count.</summary>
    internal bool Is(Device other) =>
        other.Module == Identity.Module && other.DeviceType == Identity.DeviceType && other.DeviceRole == Identity.DeviceRole;

    /// <summary>Keeps a command until the next status; when too many wait, the oldest is lost.</summary>
    internal void Keep(ByteString command, int keptMax)
    {
        if (command.IsEmpty) return;
        while (_commands.Count >= keptMax) _commands.Dequeue();
        _commands.Enqueue(command);
    }

    /// <summary>What the device says now. It gets one of its commands first: gateways give one for each status.</summary>
    internal ByteString Report(TimeSpan now)
    {
        if (_commands.TryDequeue(out var command)) Obey(command.Span);
        return Step(now);
    }

    /// <summary>Does what a command says; one that is not understood says nothing.</summary>
    protected abstract void Obey(ReadOnlySpan<byte> command);

    /// <summary>Goes on to <paramref name="now"/> and tells its state.</summary>
    protected abstract ByteString Step(TimeSpan now);
}
