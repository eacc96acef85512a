using Google.Protobuf;

namespace Mooring.Fleet.VirtualCars.Devices;

/// <summary>A button with a light in it.</summary>
internal sealed class ButtonDevice(VirtualDeviceOptions options) : VirtualDevice(options)
{
    private static readonly ByteString Pressed = ByteString.CopyFromUtf8("{\"pressed\": true}");
    private static readonly ByteString Released = ByteString.CopyFromUtf8("{\"pressed\": false}");

    private bool _isPressed;

    internal bool IsLit { get; private set; }

    protected override void Obey(ReadOnlySpan<byte> command)
    {
        if (DeviceOrder.Read(command, "lit_up"u8) is { } isLit) IsLit = isLit;
    }

    protected override ByteString Step(TimeSpan now)
    {
        _isPressed = !_isPressed;
        return _isPressed ? Pressed : Released;
    }
}
