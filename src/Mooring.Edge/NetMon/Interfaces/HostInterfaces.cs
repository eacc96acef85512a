using System.Globalization;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Protocol.Monitor;

namespace Mooring.Edge.NetMon.Interfaces;

/// <summary>Reads the interfaces of the host.</summary>
/// <param name="time">Stamps what was read.</param>
internal sealed class HostInterfaces(TimeProvider time)
{
    private const string RouteTable = "/proc/net/route";

    /// <summary>The interfaces that are up and that no software made, by name.</summary>
    public SortedDictionary<string, InterfaceState> Read()
    {
        var gateways = ReadGateways();
        var states = new SortedDictionary<string, InterfaceState>(StringComparer.Ordinal);
        foreach (var nic in NetworkInterface.GetAllNetworkInterfaces())
        {
            if (nic.OperationalStatus != OperationalStatus.Up || VirtualInterfaces.IsVirtual(nic.Name)) continue;
            if (TryRead(nic, gateways.GetValueOrDefault(nic.Name)) is { } state) states[nic.Name] = state;
        }
        return states;
    }

    /// <summary>Whether there is an interface, up or not.</summary>
    public static bool Exists(string name) => Array.Exists(NetworkInterface.GetAllNetworkInterfaces(), nic => nic.Name == name);

    /// <summary>Whether an interface is a wireless one.</summary>
    public static bool IsWifi(string name) =>
        Directory.Exists($"/sys/class/net/{name}/wireless") || Directory.Exists($"/sys/class/net/{name}/phy80211")
        || name.StartsWith("wlan", StringComparison.Ordinal) || name.StartsWith("wlp", StringComparison.Ordinal)
        || name.StartsWith("wlx", StringComparison.Ordinal);

    /// <summary>The present, in the form of the events.</summary>
    public static string Stamp(TimeProvider time) => time.GetLocalNow().ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff", CultureInfo.InvariantCulture);

    private InterfaceState? TryRead(NetworkInterface nic, string? gateway)
    {
        try
        {
            var properties = nic.GetIPProperties();
            return new InterfaceState
            {
                Name = nic.Name,
                Index = properties.GetIPv4Properties()?.Index,
                OperState = "UP",
                Type = IsWifi(nic.Name) ? "wifi" : "ethernet",
                Addresses = [.. properties.UnicastAddresses.Where(a => a.Address.AddressFamily == AddressFamily.InterNetwork).Select(Address)],
                Gateway = gateway,
                Mac = string.Join(':', nic.GetPhysicalAddress().GetAddressBytes().Select(b => b.ToString("x2", CultureInfo.InvariantCulture))),
                Timestamp = Stamp(time),
            };
        }
        catch (NetworkInformationException)
        {
            // Gone between the list and the look.
            return null;
        }
    }

    private static InterfaceAddress Address(UnicastIPAddressInformation address)
    {
        var text = address.Address.ToString();
        Ipv4Subnet.TryAddress(text, out var number);
        var subnet = Ipv4Subnet.Of(number, address.PrefixLength);
        return new InterfaceAddress(text, address.PrefixLength, subnet.ToString(), Ipv4Subnet.Text(subnet.First));
    }

    // Columns: Iface Destination Gateway Flags ...; numbers are hexadecimal and little-endian (net/ipv4/fib_trie.c of the kernel).
    private static Dictionary<string, string> ReadGateways()
    {
        var gateways = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!File.Exists(RouteTable)) return gateways;
        foreach (var line in File.ReadLines(RouteTable).Skip(1))
        {
            var fields = line.Split('\t', StringSplitOptions.TrimEntries);
            if (fields.Length < 8 || fields[1] != "00000000" || fields[7] != "00000000" || fields[2] == "00000000") continue;
            var gateway = uint.Parse(fields[2], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            gateways.TryAdd(fields[0], Ipv4Subnet.Text(System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(gateway)));
        }
        return gateways;
    }
}
