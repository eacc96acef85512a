using System.Text.Json;

namespace Mooring.Fleet.Modules.Builtin;

/// <summary>
/// The module of virtual cars. A button (type 0) that is pressed toggles its light; a drive (type 1) with an empty battery
/// is told to charge, and to go on when it is full; an echo (type 2) gets every status back as a command.
/// </summary>
internal sealed class DemoModule(ServerModuleContext context) : IServerModule
{
    internal const string Name = "demo";
    internal const uint ButtonType = 0;
    internal const uint DriveType = 1;
    internal const uint EchoType = 2;

    private const int BatteryLow = 20;
    private const int BatteryFull = 95;

    // As many as devices of the car.
    private readonly Dictionary<ModuleDevice, bool> _isOn = [];

    public bool IsSupported(uint deviceType) => deviceType <= EchoType;

    public ValueTask<bool> DeviceConnectedAsync(ModuleDevice device, CancellationToken cancellationToken)
    {
        _isOn[device] = false;
        return ValueTask.FromResult(true);
    }

    public ValueTask DeviceDisconnectedAsync(ModuleDevice device, DeviceLoss reason, CancellationToken cancellationToken)
    {
        _isOn.Remove(device);
        return ValueTask.CompletedTask;
    }

    public ValueTask StatusAsync(ModuleDevice device, ReadOnlyMemory<byte> status, CancellationToken cancellationToken)
    {
        if (device.Type == EchoType)
        {
            context.TrySend(device, status.Span);
            return ValueTask.CompletedTask;
        }
        var report = DemoReport.Read(status.Span);
        if (device.Type == ButtonType && report.IsPressed)
        {
            Switch(device, !_isOn.GetValueOrDefault(device), "{\"lit_up\": true}"u8, "{\"lit_up\": false}"u8);
        }
        else if (device.Type == DriveType && report.Battery is { } battery)
        {
            var isCharging = _isOn.GetValueOrDefault(device);
            if (isCharging ? battery >= BatteryFull : battery <= BatteryLow)
                Switch(device, !isCharging, "{\"charge\": true}"u8, "{\"charge\": false}"u8);
        }
        return ValueTask.CompletedTask;
    }

    public ValueTask ErrorAsync(ModuleDevice device, ReadOnlyMemory<byte> error, CancellationToken cancellationToken) =>
        ValueTask.CompletedTask;

    public ValueTask CommandDeliveredAsync(ModuleDevice device, ReadOnlyMemory<byte> command, CancellationToken cancellationToken) =>
        ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Switch(ModuleDevice device, bool isOn, ReadOnlySpan<byte> on, ReadOnlySpan<byte> off)
    {
        _isOn[device] = isOn;
        context.TrySend(device, isOn ? on : off);
    }

    /// <summary>What of a status matters; anything that is not JSON says nothing.</summary>
    private readonly record struct DemoReport(bool IsPressed, int? Battery)
    {
        internal static DemoReport Read(ReadOnlySpan<byte> status)
        {
            var reader = new Utf8JsonReader(status);
            var (isPressed, battery) = (false, (int?)null);
            try
            {
                while (reader.Read())
                {
                    if (reader.TokenType != JsonTokenType.PropertyName) continue;
                    if (reader.ValueTextEquals("pressed"u8) && reader.Read()) isPressed = reader.TokenType == JsonTokenType.True;
                    else if (reader.ValueTextEquals("battery"u8) && reader.Read() && reader.TryGetInt32(out var value)) battery = value;
                }
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                return default;
            }
            return new DemoReport(isPressed, battery);
        }
    }
}
