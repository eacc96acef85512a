using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mooring.Edge.NetMon.Vnics;

/// <summary>
/// Interfaces of devices on wired parents: children of a parent with hardware addresses of their own (macvlan, bridge mode), made here
/// and moved into the container.
/// </summary>
/// <param name="programs">Runs ip.</param>
/// <param name="probe">Looks whether an address is free.</param>
internal sealed class MacvlanVnics(Programs programs, ArpProbe probe)
{
    /// <summary>Makes the interface unless the container has it, and sets it up.</summary>
    /// <returns>Its name in the container.</returns>
    /// <exception cref="ProgramException">it cannot be made</exception>
    public async Task<string> EnsureAsync(
        int pid, string container, string vnic, string parent, string mac, CancellationToken cancellationToken)
    {
        var present = await FindAsync(pid, mac, cancellationToken).ConfigureAwait(false);
        if (present is { } link && !await IsOrphanAsync(link, parent, cancellationToken).ConfigureAwait(false))
        {
            await programs.IpInsideAsync(pid, ["link", "set", "dev", link.Name, "up"], cancellationToken).ConfigureAwait(false);
            return link.Name;
        }
        if (present is { } orphan) await programs.IpInsideAsync(pid, ["link", "delete", "dev", orphan.Name], cancellationToken).ConfigureAwait(false);
        var temporary = LinkNames.Temporary(container, vnic);
        var name = LinkNames.Inside(container, vnic);
        await DeleteLeftoverAsync(temporary, cancellationToken).ConfigureAwait(false);
        await programs.IpAsync(["link", "add", "link", parent, "name", temporary, "address", mac, "type", "macvlan", "mode", "bridge"], cancellationToken)
            .ConfigureAwait(false);
        try
        {
            await programs.IpAsync(["link", "set", "dev", temporary, "netns", pid.ToString(System.Globalization.CultureInfo.InvariantCulture)], cancellationToken)
                .ConfigureAwait(false);
        }
        catch (ProgramException)
        {
            await DeleteLeftoverAsync(temporary, cancellationToken).ConfigureAwait(false);
            throw;
        }
        await programs.IpInsideAsync(pid, ["link", "set", "dev", temporary, "name", name], cancellationToken).ConfigureAwait(false);
        await programs.IpInsideAsync(pid, ["link", "set", "dev", name, "up"], cancellationToken).ConfigureAwait(false);
        return name;
    }

    /// <summary>Removes the interface where it is there.</summary>
    public async Task RemoveAsync(int pid, string container, string vnic, CancellationToken cancellationToken)
    {
        var name = LinkNames.Inside(container, vnic);
        if ((await LinksAsync(pid, cancellationToken).ConfigureAwait(false)).Any(link => link.Name == name))
            await programs.IpInsideAsync(pid, ["link", "delete", "dev", name], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gives an interface one address, and none beside it. An address that another station has is not taken.</summary>
    /// <exception cref="ProgramException">it is in use, or cannot be set</exception>
    public async Task SetAddressAsync(int pid, string name, string mac, string address, int prefixLength, string? gateway, CancellationToken cancellationToken)
    {
        var wanted = $"{address}/{prefixLength}";
        var link = (await LinksAsync(pid, cancellationToken).ConfigureAwait(false)).FirstOrDefault(l => l.Name == name);
        if (link is null || !link.Addresses.Where(a => a.Family == "inet").Select(a => $"{a.Local}/{a.PrefixLength}").SequenceEqual([wanted]))
        {
            if (await probe.WhoHasAsync(pid, name, mac, address, cancellationToken).ConfigureAwait(false) is { } owner)
                throw new ProgramException($"the address {address} is in use on the network, by {owner}");
            await programs.IpInsideAsync(pid, ["-4", "addr", "flush", "dev", name], cancellationToken).ConfigureAwait(false);
            await programs.IpInsideAsync(pid, ["addr", "add", wanted, "broadcast", "+", "dev", name], cancellationToken).ConfigureAwait(false);
        }
        if (gateway is not null)
            await programs.IpInsideAsync(pid, ["route", "replace", "default", "via", gateway, "dev", name, "metric", "100"], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The interface of a container with a hardware address.</summary>
    public async Task<LinkReport?> FindAsync(int pid, string mac, CancellationToken cancellationToken) =>
        (await LinksAsync(pid, cancellationToken).ConfigureAwait(false)).FirstOrDefault(link => string.Equals(link.Mac, mac, StringComparison.OrdinalIgnoreCase));

    // The child of a parent that was unplugged and came back is gone with it; the one of a parent that has another index hangs in the air.
    private async Task<bool> IsOrphanAsync(LinkReport link, string parent, CancellationToken cancellationToken)
    {
        if (link.ParentIndex is not { } index) return false;
        var told = await programs.IpAsync(["-j", "link", "show", "dev", parent], cancellationToken).ConfigureAwait(false);
        return Parse(told).FirstOrDefault() is { } nic && nic.Index != index;
    }

    private async Task<IReadOnlyList<LinkReport>> LinksAsync(int pid, CancellationToken cancellationToken) =>
        Parse(await programs.IpInsideAsync(pid, ["-j", "addr", "show"], cancellationToken).ConfigureAwait(false));

    private async Task DeleteLeftoverAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            await programs.IpAsync(["link", "delete", "dev", name], cancellationToken).ConfigureAwait(false);
        }
        catch (ProgramException)
        {
            // There is none, as it should be.
        }
    }

    private static List<LinkReport> Parse(string json)
    {
        try
        {
            // ip answers an empty text where there is nothing to tell.
            return string.IsNullOrWhiteSpace(json) ? [] : JsonSerializer.Deserialize(json, LinkJson.Default.ListLinkReport) ?? [];
        }
        catch (JsonException e)
        {
            throw new ProgramException($"what ip told cannot be read: {e.Message}");
        }
    }
}

/// <summary>A link as <c>ip -j</c> tells of it.</summary>
internal sealed record LinkReport
{
    [JsonPropertyName("ifname")]
    public string Name { get; init; } = "";

    [JsonPropertyName("ifindex")]
    public int Index { get; init; }

    [JsonPropertyName("link_index")]
    public int? ParentIndex { get; init; }

    [JsonPropertyName("address")]
    public string? Mac { get; init; }

    [JsonPropertyName("addr_info")]
    public IReadOnlyList<LinkAddress> Addresses { get; init; } = [];
}

internal sealed record LinkAddress(
    [property: JsonPropertyName("family")] string Family,
    [property: JsonPropertyName("local")] string Local,
    [property: JsonPropertyName("prefixlen")] int PrefixLength);

[JsonSerializable(typeof(List<LinkReport>))]
internal sealed partial class LinkJson : JsonSerializerContext;
