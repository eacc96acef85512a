using System.Text.Json;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Agent.Topics;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Agent.Devices;

/// <summary>A device as a hub wants it.</summary>
internal sealed record DeviceSpecification
{
    private static readonly Contract VnicContract = Contract.Object
        .Required("name", ContractType.String)
        .Required("parent_interface", ContractType.String)
        .Required("network_mode", ContractType.String)
        .Optional("ip", ContractType.String)
        .Optional("subnet", ContractType.String)
        .Optional("gateway", ContractType.String)
        .Optional("dns", ContractType.List(ContractType.String))
        .Optional("mac", ContractType.String);

    private static readonly Contract SerialContract = Contract.Object
        .Required("name", ContractType.String)
        .Required("device_id", ContractType.String)
        .Required("container_path", ContractType.String)
        .Optional("baud_rate", ContractType.Number);

    private static readonly Contract ResourcesContract = Contract.Object
        .Optional("cpus", ContractType.Number)
        .Optional("memory_mib", ContractType.Number);

    /// <summary>What the message of <c>create_new_runtime</c> must hold.</summary>
    public static Contract Contract { get; } = Contract.Request
        .Required("container_name", ContractType.ContainerName)
        .Required("vnic_configs", ContractType.List(VnicContract))
        .Optional("serial_configs", ContractType.List(SerialContract))
        .Optional("runtime_version", ContractType.String)
        .Optional("dedicated_interface", ContractType.InterfaceName)
        .Optional("resources", ResourcesContract);

    /// <summary>What the message of <c>update_device</c> must hold.</summary>
    public static Contract ChangeContract { get; } = Contract.DeviceRequest
        .Optional("vnic_configs", ContractType.List(VnicContract))
        .Optional("serial_configs", ContractType.List(SerialContract))
        .Optional("runtime_version", ContractType.String)
        .Optional("resources", ResourcesContract);

    /// <summary>Name of the container, by which the device is known.</summary>
    public required string Name { get; init; }

    /// <summary>Tag of the runtime's image.</summary>
    public string Version { get; init; } = "latest";

    /// <summary>Interfaces on the plant's network.</summary>
    public IReadOnlyList<VnicRecord> Vnics { get; init; } = [];

    /// <summary>Serial ports; null when the message had no list of them.</summary>
    public IReadOnlyList<SerialPortRecord>? SerialPorts { get; init; }

    /// <summary>A physical interface that the device gets as a whole.</summary>
    public string? DedicatedInterface { get; init; }

    /// <summary>Processors that it may use at most; null is all.</summary>
    public double? Cpus { get; init; }

    /// <summary>Memory that it may use at most; null is all.</summary>
    public double? MemoryMiB { get; init; }

    /// <summary>Reads a message that fulfils <see cref="Contract"/>.</summary>
    public static DeviceSpecification Read(TopicRequest request)
    {
        var resources = request.Find("resources") is { } limits ? new TopicRequest(limits) : null;
        return new DeviceSpecification
        {
            Name = request.Text("container_name")!,
            Version = request.Text("runtime_version") is { Length: > 0 } version ? version : "latest",
            Vnics = [.. request.Items("vnic_configs").Select(ReadVnic)],
            SerialPorts = request.Find("serial_configs") is null ? null : [.. request.Items("serial_configs").Select(ReadSerialPort)],
            DedicatedInterface = request.Text("dedicated_interface"),
            Cpus = resources?.Number("cpus"),
            MemoryMiB = resources?.Number("memory_mib"),
        };
    }

    /// <summary>Reads a message that fulfils <see cref="ChangeContract"/>.</summary>
    public static DeviceChange ReadChange(TopicRequest request)
    {
        var resources = request.Find("resources") is { } limits ? new TopicRequest(limits) : null;
        return new DeviceChange(request.DeviceId)
        {
            Version = NotEmpty(request.Text("runtime_version")),
            Vnics = request.Find("vnic_configs") is null ? null : [.. request.Items("vnic_configs").Select(ReadVnic)],
            SerialPorts = request.Find("serial_configs") is null ? null : [.. request.Items("serial_configs").Select(ReadSerialPort)],
            Cpus = resources?.Number("cpus"),
            MemoryMiB = resources?.Number("memory_mib"),
        };
    }

    private static VnicRecord ReadVnic(JsonElement element)
    {
        var vnic = new TopicRequest(element);
        return new VnicRecord
        {
            Name = vnic.Text("name")!,
            ParentInterface = vnic.Text("parent_interface")!,
            NetworkMode = vnic.Text("network_mode")!,
            Ip = NotEmpty(vnic.Text("ip")),
            Subnet = NotEmpty(vnic.Text("subnet")),
            Gateway = NotEmpty(vnic.Text("gateway")),
            Dns = vnic.Find("dns") is null ? null : [.. vnic.Items("dns").Select(server => server.GetString()!)],
            Mac = NotEmpty(vnic.Text("mac")),
        };
    }

    private static SerialPortRecord ReadSerialPort(JsonElement element)
    {
        var port = new TopicRequest(element);
        return new SerialPortRecord
        {
            Name = port.Text("name")!,
            DeviceId = port.Text("device_id")!,
            ContainerPath = port.Text("container_path")!,
        };
    }

    // Forms of a browser send empty fields for what was left out.
    private static string? NotEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
