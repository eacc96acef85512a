namespace Mooring.Fleet.Modules;

/// <summary>Why a device is gone.</summary>
public enum DeviceLoss
{
    /// <summary>The device, or the car for it, said so.</summary>
    Announced,

    /// <summary>The session with the car ended.</summary>
    SessionEnded,
}
