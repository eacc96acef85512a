using Google.Protobuf;
using Mooring.Fleet.Protocol;

namespace Mooring.Fleet.Cars;

/// <summary>What makes two devices one: name and priority do not count.</summary>
internal readonly record struct DeviceKey(int Module, uint Type, string Role)
{
    internal static DeviceKey Of(Device device) => new((int)device.Module, device.DeviceType, device.DeviceRole);
}

/// <summary>A command for one device, as its module or an operator gave it.</summary>
internal sealed record CarCommand(Device Device, ByteString Data)
{
    internal DeviceKey Key => DeviceKey.Of(Device);
}
