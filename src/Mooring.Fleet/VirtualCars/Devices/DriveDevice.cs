using System.Globalization;
using System.Text.Unicode;
using Google.Protobuf;

namespace Mooring.Fleet.VirtualCars.Devices;

/// <summary>Goes round in a circle of its own, and stands still while it charges.</summary>
internal sealed class DriveDevice(VirtualDeviceOptions options, int number) : VirtualDevice(options)
{
    // A battery that a spectator sees empty and fill: two minutes of driving, half a minute at the charger.
    private const double DrainPerSecond = 0.75;
    private const double ChargePerSecond = 3;
    private const double BatteryFull = 100;
    private const double MetresPerSecond = 10;
    private const double RadiusMetres = 150;
    private const double MetresPerDegree = 111_320;

    // Cars of one fleet drive beside each other, not on top of each other, and do not charge all at once.
    private readonly double _latitude = 49.195 + (number % 100 * 0.003);
    private readonly double _longitude = 16.607 + (number / 100 * 0.005);
    private double _battery = BatteryFull - (number * 37 % 75);
    private double _metres = number * 61;
    private bool _isCharging;
    private TimeSpan _at;

    internal bool IsCharging => _isCharging;

    protected override void Obey(ReadOnlySpan<byte> command)
    {
        if (DeviceOrder.Read(command, "charge"u8) is { } isCharging) _isCharging = isCharging;
    }

    protected override ByteString Step(TimeSpan now)
    {
        var seconds = (now - _at).TotalSeconds;
        _at = now;
        var speed = _isCharging || _battery <= 0 ? 0 : MetresPerSecond * (1 + (0.3 * Math.Sin(now.TotalSeconds / 7 + number)));
        _metres += speed * seconds;
        _battery = Math.Clamp(_battery + (seconds * (_isCharging ? ChargePerSecond : speed > 0 ? -DrainPerSecond : 0)), 0, BatteryFull);
        var angle = _metres / RadiusMetres;
        var latitude = _latitude + (Math.Sin(angle) * RadiusMetres / MetresPerDegree);
        var longitude = _longitude + (Math.Cos(angle) * RadiusMetres / (MetresPerDegree * Math.Cos(_latitude * Math.PI / 180)));
        Span<byte> text = stackalloc byte[256];
        Utf8.TryWrite(
            text, CultureInfo.InvariantCulture,
            $"{{\"speed\": {speed:F1}, \"battery\": {(int)_battery}, \"charging\": {(_isCharging ? "true" : "false")}, \"latitude\": {latitude:F6}, \"longitude\": {longitude:F6}}}",
            out var length);
        return ByteString.CopyFrom(text[..length]);
    }
}
