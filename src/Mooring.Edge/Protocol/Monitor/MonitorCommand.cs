using System.Text.Json.Serialization;

namespace Mooring.Edge.Protocol.Monitor;

/// <summary>What an agent asks of the network monitor: one JSON object on a line. Which members a command needs is said at its name.</summary>
internal sealed record MonitorCommand
{
    /// <summary>Gives a container an interface on the plant's network. Done again, it repairs what is missing and changes nothing else.</summary>
    public const string AttachVnic = "attach_vnic";

    /// <summary>Takes such an interface away and gives its lease back.</summary>
    public const string DetachVnic = "detach_vnic";

    public const string StartDhcp = "start_dhcp";
    public const string StopDhcp = "stop_dhcp";
    public const string RenewDhcp = "renew_dhcp";
    public const string RequestWifiDhcp = "request_wifi_dhcp";
    public const string GetDhcpStatus = "get_dhcp_status";
    public const string GetDeviceStatus = "get_device_status";
    public const string DiscoverDevices = "discover_devices";
    public const string GetNetlinkStatus = "get_netlink_status";
    public const string GetStatus = "get_status";
    public const string SetupProxyArpBridge = "setup_proxy_arp_bridge";
    public const string CleanupProxyArpBridge = "cleanup_proxy_arp_bridge";
    public const string CleanupAllProxyArp = "cleanup_all_proxy_arp";
    public const string MoveNicToContainer = "move_nic_to_container";
    public const string ReturnNicToHost = "return_nic_to_host";
    public const string CheckNicInContainer = "check_nic_in_container";

    [JsonPropertyName("command")]
    public string? Command { get; init; }

    /// <summary>Echoed in the answer. Monitors of earlier agents do not know it.</summary>
    [JsonPropertyName("request_id")]
    public long? RequestId { get; init; }

    [JsonPropertyName("container_name")]
    public string? ContainerName { get; init; }

    /// <summary>Process id of the container's first process, in the host's numbering.</summary>
    [JsonPropertyName("container_pid")]
    public int? ContainerPid { get; init; }

    [JsonPropertyName("vnic_name")]
    public string? VnicName { get; init; }

    [JsonPropertyName("mac_address")]
    public string? MacAddress { get; init; }

    [JsonPropertyName("parent_interface")]
    public string? ParentInterface { get; init; }

    [JsonPropertyName("host_interface")]
    public string? HostInterface { get; init; }

    /// <summary>dhcp, static, or anything else for an interface without address.</summary>
    [JsonPropertyName("network_mode")]
    public string? NetworkMode { get; init; }

    [JsonPropertyName("ip_address")]
    public string? IpAddress { get; init; }

    [JsonPropertyName("gateway")]
    public string? Gateway { get; init; }

    /// <summary>Dotted, or the length of the prefix.</summary>
    [JsonPropertyName("subnet_mask")]
    public string? SubnetMask { get; init; }

    [JsonPropertyName("client_id")]
    public string? ClientId { get; init; }

    [JsonPropertyName("veth_host")]
    public string? VethHost { get; init; }
}
