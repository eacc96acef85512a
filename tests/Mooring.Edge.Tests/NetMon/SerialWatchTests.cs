using Mooring.Edge.NetMon;
using Mooring.Edge.NetMon.Serial;

namespace Mooring.Edge.Tests.NetMon;

/// <summary>Serial ports of a machine, with folders that stand in for /dev and /sys.</summary>
public sealed class SerialWatchTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-serial-").FullName;

    [Fact]
    public void D24_PortsOnBoard_AreListedByTheirPath_WhereThereIsHardwareBehindThem()
    {
        Port("ttyS0", "4:64", type: "4");
        Port("ttyS1", "4:65", type: "0");
        Port("ttyAMA0", "204:64", type: "32");
        Port("tty1", "4:1", type: null);
        Port("ttyUSB0", "188:0", type: null);
        var links = Directory.CreateDirectory(Path.Combine(_folder, "by-id")).FullName;
        var usb = Path.Combine(links, "usb-FTDI_1");
        File.CreateSymbolicLink(usb, Path.Combine(_folder, "dev", "ttyUSB0"));
        var found = new SerialWatch(new NetMonOptions
        {
            SerialFolder = links, DeviceFolder = Path.Combine(_folder, "dev"), TtyFolder = Path.Combine(_folder, "sys"),
        }, TimeProvider.System).Discover().Devices;
        Assert.Equal([("ttyAMA0", null, 204, 64), ("ttyS0", null, 4, 64), ("ttyUSB0", usb, 188, 0)],
            found.Select(d => (Path.GetFileName(d.Path)!, d.ById, d.Major!.Value, d.Minor!.Value)).OrderBy(d => d.Item1, StringComparer.Ordinal));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Port(string name, string numbers, string? type)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "dev"));
        File.WriteAllText(Path.Combine(_folder, "dev", name), "");
        var sys = Directory.CreateDirectory(Path.Combine(_folder, "sys", name)).FullName;
        File.WriteAllText(Path.Combine(sys, "dev"), numbers + "\n");
        if (type is not null) File.WriteAllText(Path.Combine(sys, "type"), type + "\n");
    }
}
