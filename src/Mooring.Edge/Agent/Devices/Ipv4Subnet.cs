using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Numerics;

namespace Mooring.Edge.Agent.Devices;

/// <summary>A range of IPv4 addresses that begin alike.</summary>
/// <param name="First">The first address; the bits after the prefix are 0.</param>
/// <param name="PrefixLength">How many bits are alike, 0 to 32.</param>
internal readonly record struct Ipv4Subnet(uint First, int PrefixLength)
{
    /// <summary>The last address.</summary>
    public uint Last => First | ~MaskOf(PrefixLength);

    /// <summary>Whether an address lies in the range.</summary>
    public bool Contains(uint address) => (address & MaskOf(PrefixLength)) == First;

    /// <summary>Whether two ranges have an address in common.</summary>
    public bool Overlaps(Ipv4Subnet other) => First <= other.Last && other.First <= Last;

    /// <summary>Reads <c>192.168.77.0/24</c>; the bits after the prefix may be anything.</summary>
    public static bool TryParse(string? text, out Ipv4Subnet subnet)
    {
        subnet = default;
        if (text?.Split('/') is not [var address, var prefix] || !TryAddress(address, out var number)) return false;
        if (!int.TryParse(prefix, NumberStyles.None, CultureInfo.InvariantCulture, out var length) || length > 32) return false;
        subnet = Of(number, length);
        return true;
    }

    /// <summary>The range around an address.</summary>
    public static Ipv4Subnet Of(uint address, int prefixLength) => new(address & MaskOf(prefixLength), prefixLength);

    /// <summary>Reads what a hub sends as subnet: a range, or a dotted mask together with an address in the range.</summary>
    /// <param name="subnet">A range or a mask.</param>
    /// <param name="inside">An address that says where the mask belongs.</param>
    /// <param name="range">The range.</param>
    public static bool TryParse(string? subnet, string? inside, out Ipv4Subnet range)
    {
        if (TryParse(subnet, out range)) return true;
        if (!TryAddress(subnet, out var mask) || !TryAddress(WithoutPrefix(inside), out var address)) return false;
        var length = BitOperations.LeadingZeroCount(~mask);
        range = Of(address, length);
        return mask == MaskOf(length);
    }

    /// <summary>Reads a dotted address. Forms with fewer than four numbers, or with other bases, are not read.</summary>
    public static bool TryAddress(string? text, out uint address)
    {
        address = 0;
        if (text is null || text.Count(c => c == '.') != 3 || text.Any(c => c != '.' && !char.IsAsciiDigit(c))) return false;
        if (!IPAddress.TryParse(text, out var parsed) || parsed.AddressFamily != AddressFamily.InterNetwork) return false;
        address = BinaryPrimitives.ReadUInt32BigEndian(parsed.GetAddressBytes());
        return true;
    }

    /// <summary>An address without the length of its prefix, which some hubs send with it.</summary>
    public static string? WithoutPrefix(string? address) => address?.Split('/')[0];

    /// <summary>An address as text.</summary>
    public static string Text(uint address) =>
        string.Create(CultureInfo.InvariantCulture, $"{address >> 24}.{(address >> 16) & 255}.{(address >> 8) & 255}.{address & 255}");

    /// <inheritdoc/>
    public override string ToString() => $"{Text(First)}/{PrefixLength.ToString(CultureInfo.InvariantCulture)}";

    private static uint MaskOf(int length) => length == 0 ? 0 : uint.MaxValue << (32 - length);
}
