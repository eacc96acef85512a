using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mooring.Edge.Protocol.Monitor;

/// <summary>What the network monitor answers: one JSON object on a line, without a type.</summary>
internal sealed record MonitorAnswer
{
    [JsonPropertyName("success")]
    public bool Success { get; init; }

    [JsonPropertyName("request_id")]
    public long? RequestId { get; init; }

    [JsonPropertyName("error")]
    public string? Error { get; init; }

    [JsonPropertyName("message")]
    public string? Message { get; init; }

    /// <summary>Name of the interface in the container.</summary>
    [JsonPropertyName("interface")]
    public string? Interface { get; init; }

    /// <summary>Whether an interface was found where it was looked for.</summary>
    [JsonPropertyName("present")]
    public bool? Present { get; init; }

    [JsonPropertyName("veths_removed")]
    public int? VethsRemoved { get; init; }

    [JsonPropertyName("proxy_arp_config")]
    public ProxyArp? ProxyArp { get; init; }

    [JsonPropertyName("devices")]
    public IReadOnlyList<SerialDevice>? Devices { get; init; }

    /// <summary>The lease that a client has already.</summary>
    [JsonPropertyName("lease")]
    public Lease? Lease { get; init; }

    [JsonPropertyName("status")]
    public JsonElement? Status { get; init; }

    /// <summary>It was done.</summary>
    public static MonitorAnswer Done { get; } = new() { Success = true };

    /// <summary>It was not done.</summary>
    public static MonitorAnswer Failed(string error) => new() { Error = error };
}
