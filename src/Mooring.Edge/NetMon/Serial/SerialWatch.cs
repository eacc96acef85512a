using System.Globalization;
using Mooring.Edge.NetMon.Interfaces;
using Mooring.Edge.Protocol.Monitor;

namespace Mooring.Edge.NetMon.Serial;

/// <summary>
/// Serial devices of the host: the links below /dev/serial/by-id, which keep their names wherever a device is plugged in, and the
/// converters without such a link. Looked at every second: a folder of a few links costs less than being told.
/// </summary>
internal sealed class SerialWatch(NetMonOptions options, TimeProvider time)
{
    /// <summary>How often is looked.</summary>
    internal static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private const int FirstRealSerialPort = 64;

    private readonly Lock _gate = new();
    private SortedDictionary<string, SerialDevice> _known = new(StringComparer.Ordinal);

    /// <summary>Raised when a device came (true) or went.</summary>
    public event Action<SerialDevice, bool>? Changed;

    /// <summary>The devices as they are now.</summary>
    public SerialDeviceList Discover()
    {
        var now = TryRead() ?? new SortedDictionary<string, SerialDevice>(StringComparer.Ordinal);
        lock (_gate) _known = now;
        return new SerialDeviceList([.. now.Values], HostInterfaces.Stamp(time));
    }

    /// <summary>Watches until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Discover();
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false)) Look();
        }
        catch (OperationCanceledException)
        {
            // The monitor stops.
        }
    }

    private void Look()
    {
        if (TryRead() is not { } now) return;
        SortedDictionary<string, SerialDevice> former;
        lock (_gate) (former, _known) = (_known, now);
        // Told from what was known: of a device that is gone nothing can be read.
        foreach (var (key, device) in former)
            if (!now.TryGetValue(key, out var same) || same != device) Changed?.Invoke(device, false);
        foreach (var (key, device) in now)
            if (!former.TryGetValue(key, out var same) || same != device) Changed?.Invoke(device, true);
    }

    private SortedDictionary<string, SerialDevice>? TryRead()
    {
        try
        {
            return Read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Pulled out while it was being looked at: the next look sees it.
            return null;
        }
    }

    private SortedDictionary<string, SerialDevice> Read()
    {
        var devices = new SortedDictionary<string, SerialDevice>(StringComparer.Ordinal);
        var linked = new HashSet<string>(StringComparer.Ordinal);
        if (Directory.Exists(options.SerialFolder))
            foreach (var link in Directory.EnumerateFileSystemEntries(options.SerialFolder))
                if (File.ResolveLinkTarget(link, returnFinalTarget: true)?.FullName is { } path && Describe(path, link) is { } device)
                {
                    devices[link] = device;
                    linked.Add(path);
                }
        foreach (var path in Directory.EnumerateFiles(options.DeviceFolder, "tty*"))
            if (!linked.Contains(path) && IsPort(path) && Describe(path, byId: null) is { } device) devices[path] = device;
        return devices;
    }

    private bool IsPort(string path)
    {
        var name = Path.GetFileName(path);
        if (name.StartsWith("ttyUSB", StringComparison.Ordinal) || name.StartsWith("ttyACM", StringComparison.Ordinal)) return true;
        // On board. ttyS0 to ttyS31 are there on every machine, with hardware behind them or not; the driver tells (serial_core of the kernel).
        var isOnBoard = name.StartsWith("ttyS", StringComparison.Ordinal) || name.StartsWith("ttyAMA", StringComparison.Ordinal);
        return isOnBoard && Read(Path.Combine(options.TtyFolder, name, "type")) is { Length: > 0 } type and not "0";
    }

    private SerialDevice? Describe(string path, string? byId)
    {
        if (!TryNumbers(path, out var major, out var minor)) return null;
        if (major == 4 && minor < FirstRealSerialPort) return null;
        var name = Path.GetFileName(path);
        var usb = UsbFolderOf(name);
        string? Usb(string attribute) => usb is null ? null : Read(Path.Combine(usb, attribute));
        return new SerialDevice
        {
            Path = path, ById = byId, Major = major, Minor = minor, Subsystem = "tty",
            VendorId = Usb("idVendor"), ProductId = Usb("idProduct"), Serial = Usb("serial"),
            Manufacturer = Usb("manufacturer"), Product = Usb("product"),
        };
    }

    // From the interface that the driver holds up to the device, which has the vendor.
    private string? UsbFolderOf(string name)
    {
        var link = Path.Combine(options.TtyFolder, name, "device");
        var folder = Directory.Exists(link) ? Directory.ResolveLinkTarget(link, returnFinalTarget: true) : null;
        for (var parent = folder?.FullName; parent is not null && parent != "/sys"; parent = Path.GetDirectoryName(parent))
            if (File.Exists(Path.Combine(parent, "idVendor"))) return parent;
        return null;
    }

    private static string? Read(string file)
    {
        try
        {
            return File.Exists(file) ? File.ReadAllText(file).Trim() : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private bool TryNumbers(string path, out int major, out int minor)
    {
        (major, minor) = (0, 0);
        // "c 188 0" is what sysfs calls "188:0"; a node that is not in sysfs is asked directly.
        if (Read(Path.Combine(options.TtyFolder, Path.GetFileName(path), "dev"))?.Split(':') is [var first, var second])
            return int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out major)
                && int.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out minor);
        return DeviceNumbers.TryRead(path, out major, out minor);
    }
}
