namespace Mooring.Fleet.VirtualCars;

/// <summary>What a virtual device does. Its number is the device's type, as the module <c>builtin:demo</c> knows it.</summary>
public enum VirtualDeviceKind
{
    /// <summary>Is pressed and let go in turn: <c>{"pressed": true}</c>. Obeys <c>{"lit_up": true}</c>.</summary>
    Button = 0,

    /// <summary>Drives in circles until its battery is low: <c>{"speed": 8.2, "battery": 71, ...}</c>. Obeys <c>{"charge": true}</c>.</summary>
    Drive = 1,

    /// <summary>Sends bytes and counts the commands that bring the same bytes back.</summary>
    Echo = 2,
}
