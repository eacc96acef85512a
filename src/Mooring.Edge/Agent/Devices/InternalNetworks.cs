using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Network;

namespace Mooring.Edge.Agent.Devices;

/// <summary>
/// The small private networks between the agent and each device. They are cut from a pool of their own: the engine's choice runs out after
/// some thirty networks and then takes ranges that plants use.
/// </summary>
/// <param name="engine">The engine.</param>
/// <param name="host">Knows the ranges of the plant.</param>
/// <param name="options">Names the pool.</param>
internal sealed class InternalNetworks(EngineClient engine, HostNetwork host, AgentOptions options) : IDisposable
{
    /// <summary>Thirteen addresses: agent, gateway, device and some to spare.</summary>
    internal const int PrefixLength = 28;

    /// <summary>Ranges that are tried when the engine says that one is taken after all.</summary>
    private const int OverlapTries = 16;

    // Two devices that are made at the same time must not be given the same range.
    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>Name of a device's private network.</summary>
    public static string NameOf(string device) => device + "_internal";

    /// <summary>Makes a device's network unless it is there.</summary>
    /// <returns>Whether it was made.</returns>
    public async Task<bool> EnsureAsync(string device, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await CreateAsync(NameOf(device), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Removes a device's network, whoever is in it.</summary>
    public async Task RemoveAsync(string device, CancellationToken cancellationToken)
    {
        var name = NameOf(device);
        var details = await engine.InspectNetworkAsync(name, cancellationToken).ConfigureAwait(false);
        foreach (var member in details?.Containers?.Keys ?? [])
            await engine.DisconnectNetworkAsync(name, member, cancellationToken).ConfigureAwait(false);
        await engine.RemoveNetworkAsync(name, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    /// <summary>The first free part of a pool.</summary>
    /// <param name="pool">Where to look.</param>
    /// <param name="taken">Ranges of other networks and of the host's routes.</param>
    /// <returns>The range; null when the pool is full.</returns>
    public static Ipv4Subnet? FindFree(Ipv4Subnet pool, IReadOnlyCollection<Ipv4Subnet> taken)
    {
        var near = taken.Where(pool.Overlaps).ToList();
        for (long first = pool.First; first <= pool.Last; first += 1L << (32 - PrefixLength))
        {
            var candidate = new Ipv4Subnet((uint)first, PrefixLength);
            if (!near.Exists(candidate.Overlaps)) return candidate;
        }
        return null;
    }

    /// <summary>The ranges that the engine's networks have.</summary>
    public static IEnumerable<Ipv4Subnet> RangesOf(IEnumerable<NetworkDetails> networks)
    {
        foreach (var network in networks)
            foreach (var config in network.IPAM?.Config ?? [])
                if (Ipv4Subnet.TryParse(config.Subnet, out var range)) yield return range;
    }

    /// <summary>The ranges that the host has routes to, but for the default one.</summary>
    /// <param name="routeTable">Text of <c>/proc/net/route</c>: addresses in hexadecimal, little-endian.</param>
    public static IEnumerable<Ipv4Subnet> RangesOf(string routeTable)
    {
        foreach (var line in routeTable.Split('\n').Skip(1))
        {
            var fields = line.Split('\t', StringSplitOptions.TrimEntries);
            if (fields.Length < 8 || !TryHex(fields[1], out var destination) || !TryHex(fields[7], out var mask) || mask == 0) continue;
            yield return Ipv4Subnet.Of(destination, System.Numerics.BitOperations.PopCount(mask));
        }
    }

    private async Task<bool> CreateAsync(string name, CancellationToken cancellationToken)
    {
        if (await engine.InspectNetworkAsync(name, cancellationToken).ConfigureAwait(false) is not null) return false;
        var taken = RangesOf(await engine.ListNetworksAsync(cancellationToken).ConfigureAwait(false))
            .Concat(RangesOf(await RouteTableAsync(cancellationToken).ConfigureAwait(false)))
            .Concat(host.Interfaces.Values.Select(i => i.Subnet).OfType<Ipv4Subnet>()).ToList();
        for (var tries = 1; ; tries++)
        {
            if (!Ipv4Subnet.TryParse(options.InternalPool, out var pool) || FindFree(pool, taken) is not { } range)
                throw new DeviceException($"there is no room for another private network in {options.InternalPool}");
            try
            {
                await CreateAsync(name, range, cancellationToken).ConfigureAwait(false);
                return true;
            }
            catch (EngineException e) when (tries < OverlapTries && e.Message.Contains("overlap", StringComparison.OrdinalIgnoreCase))
            {
                // Somebody else took the range meanwhile, or the engine knows more of it than we can see.
                taken.Add(range);
            }
        }
    }

    private Task CreateAsync(string name, Ipv4Subnet range, CancellationToken cancellationToken) => engine.CreateNetworkAsync(new NetworkCreation
    {
        Name = name,
        Driver = "bridge",
        Internal = true,
        IPAM = new NetworkAddresses([new NetworkSubnet(range.ToString())]),
        Labels = new Dictionary<string, string> { [DeviceContainer.RoleLabel] = DeviceContainer.DeviceRole },
    }, cancellationToken);

    private static async Task<string> RouteTableAsync(CancellationToken cancellationToken)
    {
        const string RouteTable = "/proc/net/route";
        return File.Exists(RouteTable) ? await File.ReadAllTextAsync(RouteTable, cancellationToken).ConfigureAwait(false) : "";
    }

    private static bool TryHex(string text, out uint number)
    {
        var isGood = uint.TryParse(text, System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture, out number);
        number = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(number);
        return isGood;
    }
}
