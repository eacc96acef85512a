using System.Globalization;
using Mooring.Edge.Protocol.Monitor;

namespace Mooring.Edge.NetMon.Vnics;

/// <summary>
/// Devices behind WiFi: a wireless interface cannot carry other hardware addresses than its own, so the host answers for the device's
/// address (RFC 925) and passes its packets on over a pair of virtual cables.
/// </summary>
/// <param name="programs">Runs ip and iptables.</param>
internal sealed class ProxyArpBridges(Programs programs) : IDisposable
{
    private const string Chain = "FORWARD";
    private const string Mark = "mooring-netmon";

    // A lease that is told and an agent that asks come at the same time: two builders of one bridge would trip over each other.
    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>
    /// Builds a bridge, or repairs the one that there is: a parent that went down has forgotten for whom it answers. Where the device has
    /// another address, its bridge is replaced. What was done is undone when a step fails.
    /// </summary>
    public async Task<ProxyArp> SetupAsync(
        string container, string vnic, int pid, string parent, string address, string? gateway, int prefixLength, CancellationToken cancellationToken)
    {
        var veth = LinkNames.Veth(container, vnic);
        var bridge = new ProxyArp
        {
            VethHost = veth, VethContainer = LinkNames.Inside(container, vnic), IpAddress = address, Gateway = gateway, ParentInterface = parent,
        };
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!await IsThereAsync(bridge, pid, prefixLength, cancellationToken).ConfigureAwait(false))
            {
                await RemoveAsync(bridge, cancellationToken).ConfigureAwait(false);
                await LayCableAsync(bridge, LinkNames.Temporary(container, vnic), pid, prefixLength, cancellationToken).ConfigureAwait(false);
            }
            await AnswerAsync(bridge, pid, cancellationToken).ConfigureAwait(false);
            return bridge;
        }
        catch (Exception e) when (e is ProgramException or IOException or UnauthorizedAccessException)
        {
            await RemoveAsync(bridge, CancellationToken.None).ConfigureAwait(false);
            throw e as ProgramException ?? new ProgramException(e.Message);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Removes a bridge; what is not there any more is no error.</summary>
    public async Task CleanupAsync(ProxyArp bridge, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await RemoveAsync(bridge, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Removes every bridge that this monitor made, and nothing else.</summary>
    /// <returns>How many.</returns>
    public async Task<int> CleanupAllAsync(CancellationToken cancellationToken)
    {
        var told = await programs.IpAsync(["-o", "link", "show", "type", "veth"], cancellationToken).ConfigureAwait(false);
        var own = told.Split('\n').Select(line => line.Split(':', 3)).Where(parts => parts.Length == 3)
            .Select(parts => parts[1].Trim().Split('@')[0]).Where(name => name.StartsWith("mv-", StringComparison.Ordinal)).ToList();
        foreach (var name in own) await CleanupAsync(new ProxyArp { VethHost = name }, cancellationToken).ConfigureAwait(false);
        await DeleteRulesAsync(cancellationToken).ConfigureAwait(false);
        return own.Count;
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    private async Task<bool> IsThereAsync(ProxyArp bridge, int pid, int prefixLength, CancellationToken cancellationToken)
    {
        try
        {
            await programs.IpAsync(["link", "show", "dev", bridge.VethHost!], cancellationToken).ConfigureAwait(false);
            var told = await programs.IpInsideAsync(pid, ["-o", "-4", "addr", "show", "dev", bridge.VethContainer!, "up"], cancellationToken).ConfigureAwait(false);
            return told.Contains($" inet {bridge.IpAddress}/{prefixLength} ", StringComparison.Ordinal);
        }
        catch (ProgramException)
        {
            // One of the two ends is not there.
            return false;
        }
    }

    private async Task RemoveAsync(ProxyArp bridge, CancellationToken cancellationToken)
    {
        foreach (var (address, parent) in await AnsweredForAsync(bridge, cancellationToken).ConfigureAwait(false))
            await TryAsync("ip", ["neigh", "del", "proxy", address, "dev", parent], cancellationToken).ConfigureAwait(false);
        if (bridge.VethHost is not { } veth) return;
        await ForbidForwardingAsync(veth, cancellationToken).ConfigureAwait(false);
        // Routes and the device's end go with the host's end.
        await TryAsync("ip", ["link", "delete", "dev", veth], cancellationToken).ConfigureAwait(false);
    }

    // The address that the device had before may be another one's by now: the bridge's own routes tell which that was.
    private async Task<IReadOnlyList<(string Address, string Parent)>> AnsweredForAsync(ProxyArp bridge, CancellationToken cancellationToken)
    {
        var found = new List<(string Address, string Parent)>();
        if (bridge is { IpAddress: { } address, ParentInterface: { } parent }) found.Add((address, parent));
        if (bridge.VethHost is not { } veth) return found;
        try
        {
            var routes = await programs.IpAsync(["-4", "route", "show", "dev", veth], cancellationToken).ConfigureAwait(false);
            var routed = routes.Split('\n').Select(line => line.Split(' ')[0]).ToHashSet(StringComparer.Ordinal);
            var proxied = await programs.IpAsync(["-4", "neigh", "show", "proxy"], cancellationToken).ConfigureAwait(false);
            // "192.168.77.90 dev wlan0 proxy"
            found.AddRange(proxied.Split('\n').Select(line => line.Split(' ')).Where(words => words.Length >= 3 && routed.Contains(words[0]))
                .Select(words => (words[0], words[2])));
        }
        catch (ProgramException)
        {
            // No such bridge.
        }
        return found;
    }

    private async Task LayCableAsync(ProxyArp bridge, string temporary, int pid, int prefixLength, CancellationToken cancellationToken)
    {
        var (veth, inside, address) = (bridge.VethHost!, bridge.VethContainer!, bridge.IpAddress!);
        await programs.IpAsync(["link", "add", "name", veth, "type", "veth", "peer", "name", temporary], cancellationToken).ConfigureAwait(false);
        await programs.IpAsync(["link", "set", "dev", temporary, "netns", pid.ToString(CultureInfo.InvariantCulture)], cancellationToken).ConfigureAwait(false);
        await programs.IpInsideAsync(pid, ["link", "set", "dev", temporary, "name", inside], cancellationToken).ConfigureAwait(false);
        await programs.IpInsideAsync(pid, ["addr", "add", $"{address}/{prefixLength}", "dev", inside], cancellationToken).ConfigureAwait(false);
        await programs.IpInsideAsync(pid, ["link", "set", "dev", inside, "up"], cancellationToken).ConfigureAwait(false);
        await programs.IpAsync(["link", "set", "dev", veth, "up"], cancellationToken).ConfigureAwait(false);
    }

    private async Task AnswerAsync(ProxyArp bridge, int pid, CancellationToken cancellationToken)
    {
        var (veth, inside, parent, address) = (bridge.VethHost!, bridge.VethContainer!, bridge.ParentInterface!, bridge.IpAddress!);
        if (bridge.Gateway is { } gateway)
            await programs.IpInsideAsync(pid, ["route", "replace", "default", "via", gateway, "dev", inside, "metric", "100"], cancellationToken).ConfigureAwait(false);
        Set($"net/ipv4/conf/{veth}/proxy_arp");
        Set($"net/ipv4/conf/{parent}/proxy_arp");
        Set("net/ipv4/ip_forward");
        await programs.IpAsync(["route", "replace", $"{address}/32", "dev", veth], cancellationToken).ConfigureAwait(false);
        await programs.IpAsync(["neigh", "replace", "proxy", address, "dev", parent], cancellationToken).ConfigureAwait(false);
        await ForbidForwardingAsync(veth, cancellationToken).ConfigureAwait(false);
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
