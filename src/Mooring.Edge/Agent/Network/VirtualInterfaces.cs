namespace Mooring.Edge.Agent.Network;

/// <summary>Names of interfaces that software made: no place for devices.</summary>
internal static class VirtualInterfaces
{
    private static readonly string[] Prefixes =
    [
        "lo", "docker", "br-", "veth", "virbr", "tailscale", "zt", "cni", "flannel", "kube-ipvs", "wg", "cilium", "macvtap", "sit", "can",
    ];

    /// <summary>Whether a name is one of them.</summary>
    public static bool IsVirtual(string name) => Array.Exists(Prefixes, prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));
}
