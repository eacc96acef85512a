using System.Globalization;
using Mooring.Edge.Protocol.Monitor;

namespace Mooring.Edge.NetMon.Vnics;

/// <summary>
/// Devices behind WiFi: a wireless interface cannot carry other hardware addresses than its own, so the host answers for the device's
/// address (RFC 925) and passes its packets on over a pair of virtual cables.
/// </summary>
/// <param name="programs">Runs ip and iptables.</param>
internal sealed class ProxyArpBridges(Programs programs)
{
    private const string Chain = "FORWARD";
    private const string Mark = "mooring-netmon";

    /// <summary>Builds a bridge; one of the same name is replaced. What was done is undone when a step fails.</summary>
    public async Task<ProxyArp> SetupAsync(
        string container, string vnic, int pid, string parent, string address, string? gateway, int prefixLength, CancellationToken cancellationToken)
    {
        var veth = LinkNames.Veth(container, vnic);
        var bridge = new ProxyArp
        {
            VethHost = veth, VethContainer = LinkNames.Inside(container, vnic), IpAddress = address, Gateway = gateway, ParentInterface = parent,
        };
        await CleanupAsync(bridge, cancellationToken).ConfigureAwait(false);
        try
        {
            await BuildAsync(bridge, LinkNames.Temporary(container, vnic), pid, prefixLength, cancellationToken).ConfigureAwait(false);
            return bridge;
        }
        catch (Exception e) when (e is ProgramException or IOException or UnauthorizedAccessException)
        {
            await CleanupAsync(bridge, CancellationToken.None).ConfigureAwait(false);
            throw e as ProgramException ?? new ProgramException(e.Message);
        }
    }

    /// <summary>Removes a bridge; what is not there any more is no error.</summary>
    public async Task CleanupAsync(ProxyArp bridge, CancellationToken cancellationToken)
    {
        if (bridge is { IpAddress: { } address, ParentInterface: { } parent })
            await TryAsync("ip", ["neigh", "del", "proxy", address, "dev", parent], cancellationToken).ConfigureAwait(false);
        if (bridge.VethHost is { } end) await ForbidForwardingAsync(end, cancellationToken).ConfigureAwait(false);
        // Routes and the device's end go with the host's end.
        if (bridge.VethHost is { } veth) await TryAsync("ip", ["link", "delete", "dev", veth], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Removes every bridge that this monitor made, and nothing else.</summary>
    /// <returns>How many.</returns>
    public async Task<int> CleanupAllAsync(CancellationToken cancellationToken)
    {
        var told = await programs.IpAsync(["-o", "link", "show", "type", "veth"], cancellationToken).ConfigureAwait(false);
        var own = told.Split('\n').Select(line => line.Split(':', 3)).Where(parts => parts.Length == 3)
            .Select(parts => parts[1].Trim().Split('@')[0]).Where(name => name.StartsWith("mv-", StringComparison.Ordinal)).ToList();
        foreach (var name in own) await TryAsync("ip", ["link", "delete", "dev", name], cancellationToken).ConfigureAwait(false);
        await DeleteRulesAsync(cancellationToken).ConfigureAwait(false);
        return own.Count;
    }

    private async Task BuildAsync(ProxyArp bridge, string temporary, int pid, int prefixLength, CancellationToken cancellationToken)
    {
        var (veth, inside, parent, address) = (bridge.VethHost!, bridge.VethContainer!, bridge.ParentInterface!, bridge.IpAddress!);
        await programs.IpAsync(["link", "add", "name", veth, "type", "veth", "peer", "name", temporary], cancellationToken).ConfigureAwait(false);
        await programs.IpAsync(["link", "set", "dev", temporary, "netns", pid.ToString(CultureInfo.InvariantCulture)], cancellationToken).ConfigureAwait(false);
        await programs.IpInsideAsync(pid, ["link", "set", "dev", temporary, "name", inside], cancellationToken).ConfigureAwait(false);
        await programs.IpInsideAsync(pid, ["addr", "add", $"{address}/{prefixLength}", "dev", inside], cancellationToken).ConfigureAwait(false);
        await programs.IpInsideAsync(pid, ["link", "set", "dev", inside, "up"], cancellationToken).ConfigureAwait(false);
        if (bridge.Gateway is { } gateway)
            await programs.IpInsideAsync(pid, ["route", "replace", "default", "via", gateway, "dev", inside, "metric", "100"], cancellationToken).ConfigureAwait(false);
        await programs.IpAsync(["link", "set", "dev", veth, "up"], cancellationToken).ConfigureAwait(false);
        Set($"net/ipv4/conf/{veth}/proxy_arp");
        Set($"net/ipv4/conf/{parent}/proxy_arp");
        Set("net/ipv4/ip_forward");
        await programs.IpAsync(["route", "replace", $"{address}/32", "dev", veth], cancellationToken).ConfigureAwait(false);
        await programs.IpAsync(["neigh", "replace", "proxy", address, "dev", parent], cancellationToken).ConfigureAwait(false);
        await AllowForwardingAsync(veth, cancellationToken).ConfigureAwait(false);
    }

    // At the head of the engine's own chain, which drops what it does not know: an accepting rule in a table beside it would not help.
    private async Task AllowForwardingAsync(string veth, CancellationToken cancellationToken)
    {
        foreach (var rule in RulesOf(veth)) await TryAsync("iptables", ["-I", Chain, .. rule], cancellationToken).ConfigureAwait(false);
    }

    private async Task ForbidForwardingAsync(string veth, CancellationToken cancellationToken)
    {
        foreach (var rule in RulesOf(veth)) await TryAsync("iptables", ["-D", Chain, .. rule], cancellationToken).ConfigureAwait(false);
    }

    // Whatever way they take on the host: one with a cable into the same network may send answers out there.
    private static IEnumerable<string[]> RulesOf(string veth) =>
    [
        ["-i", veth, "-m", "comment", "--comment", Mark, "-j", "ACCEPT"],
        ["-o", veth, "-m", "comment", "--comment", Mark, "-j", "ACCEPT"],
    ];

    // Rules as iptables itself writes them, with -A where -D deletes.
    private async Task DeleteRulesAsync(CancellationToken cancellationToken)
    {
        string rules;
        try
        {
            rules = await programs.RunAsync("iptables", ["-S", Chain], cancellationToken).ConfigureAwait(false);
        }
        catch (ProgramException)
        {
            return;
        }
        foreach (var rule in rules.Split('\n').Where(line => line.Contains($"--comment {Mark} ", StringComparison.Ordinal)))
            await TryAsync("iptables", ["-D", .. rule.Split(' ')[1..]], cancellationToken).ConfigureAwait(false);
    }

    private static void Set(string switchName) => File.WriteAllText("/proc/sys/" + switchName, "1");

    private async Task TryAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        try
        {
            await programs.RunAsync(program, arguments, cancellationToken).ConfigureAwait(false);
        }
        catch (ProgramException)
        {
            // Not there, or there already.
        }
    }
}
