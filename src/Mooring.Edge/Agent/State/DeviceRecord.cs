using System.Text.Json;
using System.Text.Json.Serialization;
using Mooring.Edge.Protocol.Monitor;

namespace Mooring.Edge.Agent.State;

// Field names are those of the files that earlier agents wrote: either program can take the volume over from the other.
// What this program does not know is kept and written back.

/// <summary>A device that is meant to exist: an entry of <c>clients.json</c>.</summary>
internal sealed record DeviceRecord
{
    [JsonPropertyName("ip")]
    public string? Ip { get; init; }

    [JsonPropertyName("name")]
    public required string Name { get; init; }

    /// <summary>An operator stopped it: nothing but an operator starts it again.</summary>
    [JsonPropertyName("stopped_by_operator")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsStopped { get; init; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Others { get; set; }
}

/// <summary>A virtual network interface of a device, as requested and as it came to be.</summary>
internal sealed record VnicRecord
{
    /// <summary>Value of <see cref="Method"/>: an interface of its own on a wired parent.</summary>
    public const string MacvlanMethod = "macvlan";

    /// <summary>Value of <see cref="Method"/>: behind a WiFi parent, with the host answering for its address.</summary>
    public const string ProxyArpMethod = "proxy_arp";

    [JsonPropertyName("name")]
    public required string Name { get; init; }

    [JsonPropertyName("parent_interface")]
    public required string ParentInterface { get; init; }

    /// <summary>dhcp or static.</summary>
    [JsonPropertyName("network_mode")]
    public required string NetworkMode { get; init; }

    [JsonPropertyName("ip")]
    public string? Ip { get; init; }

    [JsonPropertyName("subnet")]
    public string? Subnet { get; init; }

    [JsonPropertyName("gateway")]
    public string? Gateway { get; init; }

    [JsonPropertyName("dns")]
    public IReadOnlyList<string>? Dns { get; init; }

    /// <summary>The MAC address that was asked for.</summary>
    [JsonPropertyName("mac")]
    public string? Mac { get; init; }

    /// <summary>The one it has.</summary>
    [JsonPropertyName("mac_address")]
    public string? MacAddress { get; init; }

    [JsonPropertyName("docker_network_name")]
    public string? NetworkName { get; init; }

    [JsonPropertyName("dhcp_ip")]
    public string? DhcpIp { get; init; }

    [JsonPropertyName("dhcp_gateway")]
    public string? DhcpGateway { get; init; }

    /// <summary>Servers with blanks between them.</summary>
    [JsonPropertyName("dhcp_dns")]
    public string? DhcpDns { get; init; }

    [JsonPropertyName("_interface_type")]
    public string? InterfaceType { get; init; }

    [JsonPropertyName("_is_wifi")]
    public bool? IsWifi { get; init; }

    /// <summary>macvlan or proxy_arp.</summary>
    [JsonPropertyName("_network_method")]
    public string? Method { get; init; }

    [JsonPropertyName("_proxy_arp_config")]
    public ProxyArp? ProxyArp { get; init; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Others { get; set; }

    [JsonIgnore]
    public bool IsDhcp => NetworkMode == "dhcp";
}

/// <summary>The serial ports of a device.</summary>
internal sealed record SerialRecord
{
    [JsonPropertyName("serial_ports")]
    public IReadOnlyList<SerialPortRecord> Ports { get; init; } = [];
}

/// <summary>One serial port of a device.</summary>
internal sealed record SerialPortRecord
{
    [JsonPropertyName("name")]
    public required string Name { get; init; }

    [JsonPropertyName("device_id")]
    public required string DeviceId { get; init; }

    [JsonPropertyName("container_path")]
    public required string ContainerPath { get; init; }

    /// <summary>connected, disconnected, error or unknown.</summary>
    [JsonPropertyName("status")]
    public string Status { get; init; } = "disconnected";

    [JsonPropertyName("current_host_path")]
    public string? CurrentHostPath { get; init; }

    [JsonPropertyName("major")]
    public int? Major { get; init; }

    [JsonPropertyName("minor")]
    public int? Minor { get; init; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Others { get; set; }
}

/// <summary>A physical interface that belongs to a device as a whole.</summary>
internal sealed record DedicatedNicRecord([property: JsonPropertyName("host_interface")] string HostInterface);

/// <summary>The certificate that the runtime of a device showed first.</summary>
/// <param name="ContainerId">The container that showed it; another one may have another.</param>
/// <param name="Fingerprint">SHA-256 of the certificate's DER, in hexadecimal digits.</param>
internal sealed record RuntimePinRecord(
    [property: JsonPropertyName("container_id"), JsonRequired] string ContainerId,
    [property: JsonPropertyName("certificate_sha256"), JsonRequired] string Fingerprint);

[JsonSourceGenerationOptions(WriteIndented = true, IndentSize = 2, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowTrailingCommas = true, ReadCommentHandling = JsonCommentHandling.Skip)]
[JsonSerializable(typeof(SortedDictionary<string, DeviceRecord>))]
[JsonSerializable(typeof(SortedDictionary<string, IReadOnlyList<VnicRecord>>))]
[JsonSerializable(typeof(SortedDictionary<string, SerialRecord>))]
[JsonSerializable(typeof(SortedDictionary<string, DedicatedNicRecord>))]
[JsonSerializable(typeof(SortedDictionary<string, RuntimePinRecord>))]
internal sealed partial class StateJson : JsonSerializerContext;
