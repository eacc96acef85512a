using System.Security.Cryptography;
using System.Text;

namespace Mooring.Edge.NetMon.Vnics;

/// <summary>Names of the links that the monitor makes: from the device's and the interface's name, within the fifteen characters that Linux allows.</summary>
internal static class LinkNames
{
    private const int MaxLength = 15;
    private const int HashLength = 10;

    /// <summary>The host's end of a virtual cable to a device behind WiFi.</summary>
    public static string Veth(string container, string vnic) => "mv-" + Hash(container, vnic);

    /// <summary>A link on its way into a container.</summary>
    public static string Temporary(string container, string vnic) => "mt-" + Hash(container, vnic);

    /// <summary>The interface in the container: named as the virtual interface where Linux can, else by number of its hash.</summary>
    public static string Inside(string container, string vnic)
    {
        var name = new string([.. vnic.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' ? c : '_')]);
        // eth0 is the private network's, and lo and the dots are the kernel's.
        var isTaken = name is "eth0" or "lo" or "all" or "default" || name.Trim('.').Length == 0;
        return name.Length <= MaxLength && !isTaken ? name : "vn-" + Hash(container, vnic);
    }

    private static string Hash(string container, string vnic) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{container}:{vnic}")))[..HashLength];
}
