using Mooring.Edge.Agent.Devices;

namespace Mooring.Edge.Agent.Network;

/// <summary>An interface of the host, as the network monitor sees it.</summary>
internal sealed record HostInterface
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Whether it is a wireless one, which cannot carry other hardware addresses than its own.</summary>
    public bool IsWifi { get; init; }

    /// <summary>Its IPv4 addresses.</summary>
    public IReadOnlyList<HostAddress> Addresses { get; init; } = [];

    /// <summary>The default gateway behind it.</summary>
    public string? Gateway { get; init; }

    /// <summary>Its hardware address; older monitors do not tell.</summary>
    public string? Mac { get; init; }

    /// <summary>The subnet of its first address.</summary>
    public Ipv4Subnet? Subnet => Addresses is [var first, ..] && Ipv4Subnet.TryParse(first.Subnet, out var subnet) ? subnet : null;
}

/// <summary>An address of an interface.</summary>
/// <param name="Address">The address.</param>
/// <param name="PrefixLength">How many bits its neighbours have in common with it.</param>
/// <param name="Subnet">The range around it, such as <c>192.168.77.0/24</c>.</param>
internal sealed record HostAddress(string Address, int PrefixLength, string Subnet);
