using System.Runtime.InteropServices;
using System.Text;

namespace Mooring.Edge.NetMon.Serial;

/// <summary>The two numbers of a device node, by which the kernel knows its driver.</summary>
internal static partial class DeviceNumbers
{
    // statx(2): the layout is the same on every architecture, which that of stat(2) is not.
    private const int CurrentFolder = -100;
    private const uint BasicFields = 0x7ff;
    private const int BufferBytes = 256;
    private const int ModeOffset = 28;
    private const int MajorOffset = 128;
    private const int MinorOffset = 132;
    private const int FormatMask = 0xF000;
    private const int CharacterDevice = 0x2000;

    /// <summary>Reads them.</summary>
    /// <returns>Whether there is a character device at the path.</returns>
    public static bool TryRead(string path, out int major, out int minor)
    {
        Span<byte> buffer = stackalloc byte[BufferBytes];
        (major, minor) = (0, 0);
        if (Statx(CurrentFolder, [.. Encoding.UTF8.GetBytes(path), 0], 0, BasicFields, buffer) != 0) return false;
        if ((BitConverter.ToUInt16(buffer[ModeOffset..]) & FormatMask) != CharacterDevice) return false;
        (major, minor) = (BitConverter.ToInt32(buffer[MajorOffset..]), BitConverter.ToInt32(buffer[MinorOffset..]));
        return true;
    }

    [LibraryImport("libc", EntryPoint = "statx")]
    private static partial int Statx(int folder, byte[] path, int flags, uint mask, Span<byte> buffer);
}
