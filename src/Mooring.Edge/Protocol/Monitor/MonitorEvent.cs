using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mooring.Edge.Protocol.Monitor;

/// <summary>What the network monitor tells unasked: one JSON object on a line.</summary>
/// <param name="Type">Which of the names below.</param>
/// <param name="Data">What belongs to it.</param>
internal sealed record MonitorEvent(
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("data")] JsonElement Data)
{
    /// <summary>All interfaces; an <see cref="InterfaceList"/>.</summary>
    public const string NetworkDiscovery = "network_discovery";

    /// <summary>One interface changed, went down or was removed; an <see cref="InterfaceState"/>.</summary>
    public const string NetworkChange = "network_change";

    /// <summary>A device has another address, or none any more; a <see cref="Lease"/>.</summary>
    public const string DhcpUpdate = "dhcp_update";

    /// <summary>All serial devices; a <see cref="SerialDeviceList"/>.</summary>
    public const string DeviceDiscovery = "device_discovery";

    /// <summary>A serial device came or went; a <see cref="SerialDeviceChange"/>.</summary>
    public const string DeviceChange = "device_change";
}

internal sealed record InterfaceList(
    [property: JsonPropertyName("interfaces")] IReadOnlyList<InterfaceState> Interfaces,
    [property: JsonPropertyName("timestamp")] string? Timestamp);

/// <summary>An interface of the host.</summary>
internal sealed record InterfaceState
{
    [JsonPropertyName("interface")]
    public required string Name { get; init; }

    [JsonPropertyName("index")]
    public int? Index { get; init; }

    [JsonPropertyName("operstate")]
    public string? OperState { get; init; }

    /// <summary>wifi or ethernet.</summary>
    [JsonPropertyName("type")]
    public string? Type { get; init; }

    [JsonPropertyName("ipv4_addresses")]
    public IReadOnlyList<InterfaceAddress> Addresses { get; init; } = [];

    [JsonPropertyName("gateway")]
    public string? Gateway { get; init; }

    /// <summary>Hardware address; monitors of earlier agents do not tell.</summary>
    [JsonPropertyName("mac")]
    public string? Mac { get; init; }

    /// <summary>down or removed; null for one that is up.</summary>
    [JsonPropertyName("status")]
    public string? Status { get; init; }

    [JsonPropertyName("timestamp")]
    public string? Timestamp { get; init; }
}

/// <summary>An address of an interface, and the range around it.</summary>
internal sealed record InterfaceAddress(
    [property: JsonPropertyName("address")] string Address,
    [property: JsonPropertyName("prefixlen")] int PrefixLength,
    [property: JsonPropertyName("subnet")] string Subnet,
    [property: JsonPropertyName("network_address")] string? NetworkAddress);

internal sealed record SerialDeviceList(
    [property: JsonPropertyName("devices")] IReadOnlyList<SerialDevice> Devices,
    [property: JsonPropertyName("timestamp")] string? Timestamp);

internal sealed record SerialDeviceChange(
    [property: JsonPropertyName("action")] string Action,
    [property: JsonPropertyName("device")] SerialDevice Device);

/// <summary>A serial device of the host.</summary>
internal sealed record SerialDevice
{
    [JsonPropertyName("path")]
    public string? Path { get; init; }

    /// <summary>The name below /dev/serial/by-id that stays when the device is plugged elsewhere.</summary>
    [JsonPropertyName("by_id")]
    public string? ById { get; init; }

    [JsonPropertyName("major")]
    public int? Major { get; init; }

    [JsonPropertyName("minor")]
    public int? Minor { get; init; }

    [JsonPropertyName("vendor_id")]
    public string? VendorId { get; init; }

    [JsonPropertyName("product_id")]
    public string? ProductId { get; init; }

    [JsonPropertyName("serial")]
    public string? Serial { get; init; }

    [JsonPropertyName("subsystem")]
    public string? Subsystem { get; init; }

    [JsonPropertyName("manufacturer")]
    public string? Manufacturer { get; init; }

    [JsonPropertyName("product")]
    public string? Product { get; init; }
}

/// <summary>An address that a DHCP server gave to a device, or its end.</summary>
internal sealed record Lease
{
    [JsonPropertyName("container_name")]
    public string? ContainerName { get; init; }

    [JsonPropertyName("vnic_name")]
    public string? VnicName { get; init; }

    [JsonPropertyName("mac_address")]
    public string? MacAddress { get; init; }

    /// <summary>null when the device has none any more.</summary>
    [JsonPropertyName("ip")]
    public string? Ip { get; init; }

    [JsonPropertyName("mask")]
    public string? Mask { get; init; }

    [JsonPropertyName("prefix")]
    public int? PrefixLength { get; init; }

    [JsonPropertyName("gateway")]
    public string? Gateway { get; init; }

    /// <summary>Servers with blanks between them.</summary>
    [JsonPropertyName("dns")]
    public string? Dns { get; init; }

    /// <summary>Seconds.</summary>
    [JsonPropertyName("lease_time")]
    public long? LeaseTime { get; init; }

    [JsonPropertyName("timestamp")]
    public string? Timestamp { get; init; }

    /// <summary>bound, renew or expired; monitors of earlier agents do not tell.</summary>
    [JsonPropertyName("event")]
    public string? Event { get; init; }

    [JsonPropertyName("proxy_arp_config")]
    public ProxyArp? ProxyArp { get; init; }
}

/// <summary>How a device behind a WiFi interface is reached: over a pair of virtual cables, with the host answering for its address.</summary>
internal sealed record ProxyArp
{
    [JsonPropertyName("veth_host")]
    public string? VethHost { get; init; }

    [JsonPropertyName("veth_container")]
    public string? VethContainer { get; init; }

    [JsonPropertyName("ip_address")]
    public string? IpAddress { get; init; }

    [JsonPropertyName("gateway")]
    public string? Gateway { get; init; }

    [JsonPropertyName("parent_interface")]
    public string? ParentInterface { get; init; }
}
