using Mooring.Edge.Agent.Engine;

namespace Mooring.Edge.Agent.Devices;

/// <summary>
/// Finds room for the small private network between the agent and one device. The engine's own choice runs out after some thirty
/// networks and then takes ranges that plants use.
/// </summary>
internal static class InternalNetworks
{
    /// <summary>Thirteen addresses: agent, gateway, device and some to spare.</summary>
    internal const int PrefixLength = 28;

    /// <summary>Name of a device's private network.</summary>
    public static string NameOf(string device) => device + "_internal";

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

    private static bool TryHex(string text, out uint number)
    {
        var isGood = uint.TryParse(text, System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture, out number);
        number = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(number);
        return isGood;
    }
}
