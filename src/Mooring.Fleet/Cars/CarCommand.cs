using Google.Protobuf;
using Mooring.Fleet.Protocol;
using Mooring.Kernel.Tracing;

namespace Mooring.Fleet.Cars;

/// <summary>What makes two devices one: name and priority do not count.</summary>
internal readonly record struct DeviceKey(int Module, uint Type, string Role)
{
    internal static DeviceKey Of(Device device) => new((int)device.Module, device.DeviceType, device.DeviceRole);
}

/// <summary>What became of a command.</summary>
internal enum CommandOutcome
{
    /// <summary>The gateway answered OK.</summary>
    Delivered,

    /// <summary>The gateway refused it: the device is not connected, not supported, or the command is invalid.</summary>
    Refused,

    /// <summary>It never reached the gateway, or was not answered before the session ended.</summary>
    Dropped,
}

/// <summary>A command for one device, as its module or an operator gave it.</summary>
internal sealed record CarCommand(Device Device, ByteString Data)
{
    internal DeviceKey Key => DeviceKey.Of(Device);

    /// <summary>Told what became of the command; null when nobody asks.</summary>
    internal TaskCompletionSource<CommandOutcome>? Outcome { get; init; }

    /// <summary>What gave it; null when nobody traces.</summary>
    internal TraceContext? Trace { get; init; }
}
