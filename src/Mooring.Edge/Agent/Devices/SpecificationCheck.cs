using System.Text.RegularExpressions;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Agent.Devices;

/// <summary>What is known of this machine when a device is about to be made.</summary>
/// <param name="Interfaces">Interfaces of the host by name.</param>
/// <param name="MacsInUse">Hardware addresses that devices have, each with its parent interface.</param>
/// <param name="DedicatedTo">Physical interfaces that belong to a device, by name of the interface.</param>
/// <param name="IsOneLanPerParent">Whether the engine makes the networks: it allows one for each interface.</param>
internal sealed record SpecificationContext(
    IReadOnlyDictionary<string, HostInterface> Interfaces,
    IReadOnlySet<(string Parent, string Mac)> MacsInUse,
    IReadOnlyDictionary<string, string> DedicatedTo,
    bool IsOneLanPerParent);

/// <summary>Whether a device can be made as it is wanted: everything that can be said before anything is touched.</summary>
internal static partial class SpecificationCheck
{
    /// <summary>Smallest memory with which an engine starts a container.</summary>
    internal const double MinMemoryMiB = 6;

    /// <summary>Checks a specification.</summary>
    /// <param name="wanted">The device.</param>
    /// <param name="context">The machine.</param>
    /// <param name="warnings">What is odd and no reason to refuse.</param>
    /// <returns>The first thing that is wrong; null when nothing is.</returns>
    public static string? Check(DeviceSpecification wanted, SpecificationContext context, ICollection<string> warnings) =>
        CheckValues(wanted) ?? CheckVnics(wanted, context, warnings) ?? CheckMacs(wanted, context) ?? CheckDedicated(wanted, context);

    /// <summary>Whether a text can be the tag of an image.</summary>
    public static bool IsTag(string text) => TagPattern().IsMatch(text);

    /// <summary>The name under which the LAN of a virtual interface is reported.</summary>
    public static string LanName(VnicRecord vnic, IReadOnlyDictionary<string, HostInterface> interfaces) =>
        $"macvlan_{vnic.ParentInterface}_{SubnetOf(vnic, interfaces)?.ToString().Replace('/', '_') ?? "unknown"}";

    /// <summary>The subnet that a virtual interface is in: as wanted, else that of its parent; null when neither is known.</summary>
    public static Ipv4Subnet? SubnetOf(VnicRecord vnic, IReadOnlyDictionary<string, HostInterface> interfaces)
    {
        if (Ipv4Subnet.TryParse(vnic.Subnet, vnic.Gateway ?? vnic.Ip, out var subnet)) return subnet;
        if (Ipv4Subnet.TryParse(vnic.Ip, out subnet)) return subnet;
        return interfaces.TryGetValue(vnic.ParentInterface, out var parent) ? parent.Subnet : null;
    }

    private static string? CheckValues(DeviceSpecification wanted)
    {
        if (!TagPattern().IsMatch(wanted.Version)) return $"runtime_version {wanted.Version} is not a tag of an image";
        if (wanted.Cpus is <= 0) return "resources.cpus must be above 0";
        if (wanted.MemoryMiB is < MinMemoryMiB) return $"resources.memory_mib must be {MinMemoryMiB} or more";
        foreach (var port in wanted.SerialPorts ?? [])
            if (!port.ContainerPath.StartsWith("/dev/", StringComparison.Ordinal) || port.ContainerPath.Contains("..", StringComparison.Ordinal))
                return $"serial port {port.Name}: container_path {port.ContainerPath} must be a path below /dev/";
        return wanted.Vnics.Select(CheckVnic).FirstOrDefault(error => error is not null)
            ?? FirstRepeated(wanted.Vnics.Select(vnic => vnic.Name), "vNIC name")
            ?? FirstRepeated((wanted.SerialPorts ?? []).Select(port => port.ContainerPath), "container_path");
    }

    private static string? CheckVnic(VnicRecord vnic)
    {
        if (vnic.Name.Length is 0 or > 64) return "the name of a vNIC must have 1 to 64 characters";
        if (!ContractType.IsInterfaceName(vnic.ParentInterface))
            return $"vNIC {vnic.Name}: parent_interface {vnic.ParentInterface} is not the name of an interface";
        if (vnic.Mac is { } mac && !MacAddress.TryNormalize(mac, out _))
            return $"vNIC {vnic.Name}: mac {mac} is not the address of a station, such as 02:11:22:33:44:55";
        if (vnic.Gateway is { } gateway && !Ipv4Subnet.TryAddress(gateway, out _))
            return $"vNIC {vnic.Name}: gateway {gateway} is not an IPv4 address";
        if (vnic.Ip is { } ip && !Ipv4Subnet.TryAddress(Ipv4Subnet.WithoutPrefix(ip), out _))
            return $"vNIC {vnic.Name}: ip {ip} is not an IPv4 address";
        if (vnic.Dns?.FirstOrDefault(server => !Ipv4Subnet.TryAddress(server, out _)) is { } wrong)
            return $"vNIC {vnic.Name}: dns {wrong} is not an IPv4 address";
        return null;
    }

    private static string? CheckVnics(DeviceSpecification wanted, SpecificationContext context, ICollection<string> warnings)
    {
        var wired = new Dictionary<string, string>(StringComparer.Ordinal);
        var wireless = new HashSet<string>(StringComparer.Ordinal);
        foreach (var vnic in wanted.Vnics)
        {
            if (context.DedicatedTo.TryGetValue(vnic.ParentInterface, out var owner))
                return $"vNIC {vnic.Name}: {vnic.ParentInterface} is dedicated to {owner}";
            if (context.Interfaces.GetValueOrDefault(vnic.ParentInterface) is { IsWifi: true })
            {
                if (!wireless.Add(vnic.ParentInterface)) warnings.Add($"several vNICs share the WiFi interface {vnic.ParentInterface}");
                continue;
            }
            var lan = LanName(vnic, context.Interfaces);
            if (context.IsOneLanPerParent && !wired.TryAdd(lan, vnic.Name))
                return $"vNICs {wired[lan]} and {vnic.Name} are both on the network {lan}; the engine gives a device one place in a network";
        }
        return null;
    }

    private static string? CheckMacs(DeviceSpecification wanted, SpecificationContext context)
    {
        var given = wanted.Vnics.Where(vnic => vnic.Mac is not null).Select(vnic => (vnic.Name, vnic.ParentInterface, Mac: Normal(vnic.Mac!))).ToList();
        foreach (var (name, parent, mac) in given)
            if (context.MacsInUse.Contains((parent, mac))) return $"vNIC {name}: the MAC address {mac} is already in use on {parent}";
        return FirstRepeated(given.Select(vnic => $"{vnic.Mac} on {vnic.ParentInterface}"), "MAC address");
    }

    private static string? CheckDedicated(DeviceSpecification wanted, SpecificationContext context)
    {
        if (wanted.DedicatedInterface is not { } name) return null;
        if (context.DedicatedTo.TryGetValue(name, out var owner)) return $"{name} is dedicated to {owner} already";
        if (!context.Interfaces.TryGetValue(name, out var nic)) return $"{name} is not an interface of this machine, or it is down";
        if (nic.IsWifi) return $"{name} is a WiFi interface; only wired ones can be dedicated";
        return wanted.Vnics.Any(vnic => vnic.ParentInterface == name) ? $"{name} cannot be dedicated and carry a vNIC of the same device" : null;
    }

    private static string Normal(string mac) => MacAddress.TryNormalize(mac, out var normal) ? normal : mac;

    private static string? FirstRepeated(IEnumerable<string> values, string what) =>
        values.GroupBy(value => value, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { Key: var twice }
            ? $"{what} {twice} is given twice" : null;

    // The grammar of tags: distribution/reference of the engine's image names.
    [GeneratedRegex(@"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\z")]
    private static partial Regex TagPattern();
}
