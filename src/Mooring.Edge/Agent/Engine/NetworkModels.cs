namespace Mooring.Edge.Agent.Engine;

/// <summary>A network to create.</summary>
internal sealed record NetworkCreation
{
    public required string Name { get; init; }
    public required string Driver { get; init; }

    /// <summary>No way out of it.</summary>
    public bool Internal { get; init; }

    /// <summary>Names are not unique in the engine unless it is asked to check.</summary>
    public bool CheckDuplicate { get; init; } = true;

    public NetworkAddresses? IPAM { get; init; }
    public IReadOnlyDictionary<string, string>? Options { get; init; }
    public IReadOnlyDictionary<string, string>? Labels { get; init; }
}

internal sealed record NetworkAddresses(IReadOnlyList<NetworkSubnet>? Config);

internal sealed record NetworkSubnet(string? Subnet, string? Gateway = null);

internal sealed record NetworkCreated(string Id);

/// <summary>What the engine tells about one network.</summary>
internal sealed record NetworkDetails
{
    public required string Id { get; init; }
    public required string Name { get; init; }
    public string Driver { get; init; } = "";
    public NetworkAddresses? IPAM { get; init; }
    public IReadOnlyDictionary<string, string>? Options { get; init; }
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>Running members by container id; the list of networks leaves it out.</summary>
    public IReadOnlyDictionary<string, NetworkMember>? Containers { get; init; }
}

internal sealed record NetworkMember(string Name, string? MacAddress, string? IPv4Address);

internal sealed record NetworkConnection(string Container, EndpointSettings? EndpointConfig = null);

internal sealed record NetworkDisconnection(string Container, bool Force);
