using Mooring.Fleet.Protocol;

namespace Mooring.Fleet.Modules;

/// <summary>A device of a car. Type and role make it what it is, the name is for people.</summary>
/// <param name="Type">Its type, as its module defines them.</param>
/// <param name="Role">Its place on the car; not empty.</param>
/// <param name="Name">Its name.</param>
public readonly record struct ModuleDevice(uint Type, string Role, string Name = "")
{
    internal static ModuleDevice Of(Device device) => new(device.DeviceType, device.DeviceRole, device.DeviceName);

    internal Device ToDevice(int module) =>
        new() { Module = (Device.Types.Module)module, DeviceType = Type, DeviceRole = Role, DeviceName = Name };
}
