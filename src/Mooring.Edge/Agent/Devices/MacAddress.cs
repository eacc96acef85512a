using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace Mooring.Edge.Agent.Devices;

/// <summary>Hardware addresses as text: six pairs of lower-case hexadecimal digits with colons between.</summary>
internal static partial class MacAddress
{
    /// <summary>Whether a text is an address of one station, and which.</summary>
    public static bool TryNormalize(string text, out string address)
    {
        address = text.Trim().ToLowerInvariant().Replace('-', ':');
        // The lowest bit of the first octet marks addresses of groups; a station cannot have one (IEEE 802-2014, 8.2.2).
        return Pattern().IsMatch(address) && address != "00:00:00:00:00:00"
            && (byte.Parse(address.AsSpan(0, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & 1) == 0;
    }

    /// <summary>A random address that no manufacturer gives: locally administered, of one station.</summary>
    public static string Generate()
    {
        Span<byte> octets = stackalloc byte[6];
        RandomNumberGenerator.Fill(octets);
        octets[0] = (byte)((octets[0] | 2) & ~1);
        return string.Join(':', octets.ToArray().Select(o => o.ToString("x2", CultureInfo.InvariantCulture)));
    }

    [GeneratedRegex("\\A[0-9a-f]{2}(:[0-9a-f]{2}){5}\\z")]
    private static partial Regex Pattern();
}
