using System.Text.Json.Serialization;
using Mooring.Edge.Protocol.Monitor;

namespace Mooring.Edge.NetMon.Dhcp;

/// <summary>One DHCP client: for whom it asks, and the program that does.</summary>
internal sealed record DhcpClientRecord
{
    public required string Container { get; init; }

    public required string Vnic { get; init; }

    /// <summary>The container's first process.</summary>
    public required int ContainerPid { get; init; }

    /// <summary>When that process began, so that another one of the same number is not taken for it.</summary>
    public required long ContainerStartedAt { get; init; }

    /// <summary>Interface that is asked on: in the container, or on the host for WiFi.</summary>
    public required string Interface { get; init; }

    public string? MacAddress { get; init; }

    /// <summary>WiFi interface of the host; null for one that is in the container.</summary>
    public string? WifiParent { get; init; }

    /// <summary>What the client calls itself to the server; null for its hardware address.</summary>
    public string? ClientId { get; init; }

    /// <summary>The program; 0 when it does not run.</summary>
    public int ClientPid { get; init; }

    public long ClientStartedAt { get; init; }

    [JsonIgnore]
    public string Key => KeyOf(Container, Vnic);

    [JsonIgnore]
    public ContainerProcess ContainerProcess => new(ContainerPid, ContainerStartedAt);

    [JsonIgnore]
    public ContainerProcess Client => new(ClientPid, ClientStartedAt);

    [JsonIgnore]
    public bool IsRunning => ClientPid > 0 && Client.IsAlive;

    public static string KeyOf(string container, string vnic) => $"{container}:{vnic}";
}

/// <summary>What the hook of the DHCP client writes.</summary>
internal sealed record LeaseFile
{
    [JsonPropertyName("interface")]
    public string? Interface { get; init; }

    [JsonPropertyName("ip")]
    public string? Ip { get; init; }

    [JsonPropertyName("subnet")]
    public string? Subnet { get; init; }

    [JsonPropertyName("prefix")]
    public int? Prefix { get; init; }

    /// <summary>Routers with blanks between them; the first is the gateway.</summary>
    [JsonPropertyName("router")]
    public string? Router { get; init; }

    [JsonPropertyName("dns")]
    public string? Dns { get; init; }

    [JsonPropertyName("lease")]
    public long? LeaseSeconds { get; init; }

    [JsonPropertyName("serverid")]
    public string? Server { get; init; }

    /// <summary>bound, renew, deconfig, leasefail or nak.</summary>
    [JsonPropertyName("event")]
    public string? Event { get; init; }

    [JsonPropertyName("timestamp")]
    public long? Timestamp { get; init; }

    [JsonIgnore]
    public bool IsGood => Event is "bound" or "renew" && !string.IsNullOrEmpty(Ip);

    [JsonIgnore]
    public string? Gateway => Router?.Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
}

[JsonSourceGenerationOptions(WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(List<DhcpClientRecord>))]
[JsonSerializable(typeof(LeaseFile))]
[JsonSerializable(typeof(ProxyArp))]
internal sealed partial class DhcpJson : JsonSerializerContext;
