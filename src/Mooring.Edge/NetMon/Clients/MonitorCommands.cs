using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.NetMon.Dhcp;
using Mooring.Edge.NetMon.Interfaces;
using Mooring.Edge.NetMon.Serial;
using Mooring.Edge.NetMon.Vnics;
using Mooring.Edge.Protocol;
using Mooring.Edge.Protocol.Monitor;

namespace Mooring.Edge.NetMon.Clients;

/// <summary>What agents can ask for. Every command is answered; what is wrong with it, or with the machine, is said in the answer.</summary>
internal sealed partial class MonitorCommands(
    MacvlanVnics vnics, ProxyArpBridges bridges, PhysicalNics nics, DhcpClients dhcp, InterfaceWatch interfaces, SerialWatch serial,
    TimeProvider time, ILogger<MonitorCommands> logger)
{
    private const int UsualPrefix = 24;

    // The engine gives a container its interfaces when it starts it; a monitor that is asked at that moment may be a little early.
    private const int FindTries = 10;
    private static readonly TimeSpan FindPause = TimeSpan.FromMilliseconds(300);

    /// <summary>How many agents are connected, for the status; set by who knows.</summary>
    public Func<int> ClientCount { get; set; } = () => 0;

    /// <summary>Runs a command.</summary>
    public async Task<MonitorAnswer> RunAsync(MonitorCommand command, CancellationToken cancellationToken)
    {
        try
        {
            return await DispatchAsync(command, cancellationToken).ConfigureAwait(false);
        }
        catch (ProgramException e)
        {
            return MonitorAnswer.Failed(e.Message);
        }
        catch (OperationCanceledException)
        {
            return MonitorAnswer.Failed("the network monitor stops");
        }
        catch (Exception e)
        {
            LogFailed(logger, command.Command, e);
            return MonitorAnswer.Failed($"{command.Command} failed inside the network monitor: {e.Message}");
        }
    }

    private Task<MonitorAnswer> DispatchAsync(MonitorCommand command, CancellationToken cancellationToken) => command.Command switch
    {
        MonitorCommand.AttachVnic => AttachAsync(command, cancellationToken),
        MonitorCommand.DetachVnic => DetachAsync(command, cancellationToken),
        MonitorCommand.StartDhcp => StartDhcpAsync(command, cancellationToken),
        MonitorCommand.StopDhcp => Task.FromResult(StopDhcp(command)),
        MonitorCommand.RenewDhcp => Task.FromResult(RenewDhcp(command)),
        MonitorCommand.RequestWifiDhcp => RequestWifiDhcpAsync(command, cancellationToken),
        MonitorCommand.SetupProxyArpBridge => SetupBridgeAsync(command, cancellationToken),
        MonitorCommand.CleanupProxyArpBridge => CleanupBridgeAsync(command, cancellationToken),
        MonitorCommand.CleanupAllProxyArp => CleanupAllAsync(cancellationToken),
        MonitorCommand.MoveNicToContainer or MonitorCommand.ReturnNicToHost or MonitorCommand.CheckNicInContainer => NicAsync(command, cancellationToken),
        MonitorCommand.DiscoverDevices => Task.FromResult(new MonitorAnswer { Success = true, Devices = serial.Discover().Devices }),
        MonitorCommand.GetDhcpStatus => Task.FromResult(Status(DhcpStatus())),
        MonitorCommand.GetDeviceStatus => Task.FromResult(Status(DeviceStatus())),
        MonitorCommand.GetNetlinkStatus => Task.FromResult(Status(NetlinkStatus())),
        MonitorCommand.GetStatus => Task.FromResult(Status(WholeStatus())),
        _ => Task.FromResult(MonitorAnswer.Failed($"Unknown command: {command.Command}")),
    };

    private async Task<MonitorAnswer> AttachAsync(MonitorCommand command, CancellationToken cancellationToken)
    {
        if (Missing(command, out var container, needsMac: true, needsParent: true) is { } error) return error;
        var (name, vnic, mac) = (command.ContainerName!, command.VnicName!, command.MacAddress!);
        var inside = await vnics.EnsureAsync(container.Pid, name, vnic, command.ParentInterface!, mac, cancellationToken).ConfigureAwait(false);
        var done = new MonitorAnswer { Success = true, Interface = inside };
        if (command.NetworkMode == "dhcp") return done with { Lease = LeaseOf(StartClient(command, container, inside), command) };
        dhcp.Stop(name, vnic);
        if (command.NetworkMode != "static") return done;
        if (!Ipv4Subnet.TryAddress(command.IpAddress, out _)) return MonitorAnswer.Failed($"vNIC {vnic} is static and has no ip");
        if (!TryPrefix(command.SubnetMask, out var prefix)) return MonitorAnswer.Failed($"subnet_mask {command.SubnetMask} is neither a mask nor the length of a prefix");
        await vnics.SetAddressAsync(container.Pid, inside, mac, command.IpAddress!, prefix, command.Gateway, cancellationToken).ConfigureAwait(false);
        return done;
    }

    private async Task<MonitorAnswer> DetachAsync(MonitorCommand command, CancellationToken cancellationToken)
    {
        if (command is not { ContainerName: { } name, VnicName: { } vnic }) return MonitorAnswer.Failed("container_name and vnic_name are needed");
        dhcp.Stop(name, vnic);
        if (command.ContainerPid is { } pid && ContainerProcess.Find(pid) is not null)
            await vnics.RemoveAsync(pid, name, vnic, cancellationToken).ConfigureAwait(false);
        return MonitorAnswer.Done;
    }

    private async Task<MonitorAnswer> StartDhcpAsync(MonitorCommand command, CancellationToken cancellationToken)
    {
        if (Missing(command, out var container, needsMac: true) is { } error) return error;
        for (var tries = 1; ; tries++)
        {
            if (await vnics.FindAsync(container.Pid, command.MacAddress!, cancellationToken).ConfigureAwait(false) is { } link)
                return new MonitorAnswer { Success = true, Interface = link.Name, Lease = LeaseOf(StartClient(command, container, link.Name), command) };
            if (tries == FindTries) return MonitorAnswer.Failed($"{command.ContainerName} has no interface with the address {command.MacAddress}");
            await Task.Delay(FindPause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private LeaseFile? StartClient(MonitorCommand command, ContainerProcess container, string nic) => dhcp.Start(new DhcpClientRecord
    {
        Container = command.ContainerName!, Vnic = command.VnicName!, ContainerPid = container.Pid, ContainerStartedAt = container.StartedAt,
        Interface = nic, MacAddress = command.MacAddress,
    });

    private MonitorAnswer StopDhcp(MonitorCommand command)
    {
        if (command is not { ContainerName: { } name, VnicName: { } vnic }) return MonitorAnswer.Failed("container_name and vnic_name are needed");
        return dhcp.Stop(name, vnic) ? MonitorAnswer.Done : MonitorAnswer.Failed($"no DHCP client runs for {name}:{vnic}");
    }

    private MonitorAnswer RenewDhcp(MonitorCommand command)
    {
        if (command is not { ContainerName: { } name, VnicName: { } vnic }) return MonitorAnswer.Failed("container_name and vnic_name are needed");
        return dhcp.Renew(name, vnic) ? MonitorAnswer.Done : MonitorAnswer.Failed($"no DHCP client runs for {name}:{vnic}");
    }

    private async Task<MonitorAnswer> RequestWifiDhcpAsync(MonitorCommand command, CancellationToken cancellationToken)
    {
        if (Missing(command, out var container, needsParent: true) is { } error) return error;
        var lease = dhcp.Start(new DhcpClientRecord
        {
            Container = command.ContainerName!, Vnic = command.VnicName!, ContainerPid = container.Pid, ContainerStartedAt = container.StartedAt,
            Interface = command.ParentInterface!, WifiParent = command.ParentInterface, ClientId = command.ClientId ?? $"{command.ContainerName}:{command.VnicName}",
        });
        if (lease?.Ip is not { } ip) return MonitorAnswer.Done;
        // The client runs already, and its lease is good: what may be missing is the bridge.
        var bridge = await bridges.SetupAsync(command.ContainerName!, command.VnicName!, container.Pid, command.ParentInterface!, ip,
            lease.Gateway, lease.Prefix ?? UsualPrefix, cancellationToken).ConfigureAwait(false);
        return new MonitorAnswer { Success = true, Lease = LeaseOf(lease, command), ProxyArp = bridge };
    }

    private async Task<MonitorAnswer> SetupBridgeAsync(MonitorCommand command, CancellationToken cancellationToken)
    {
        if (Missing(command, out var container, needsVnic: false, needsParent: true) is { } error) return error;
        if (!Ipv4Subnet.TryAddress(command.IpAddress, out _)) return MonitorAnswer.Failed($"ip_address {command.IpAddress} is not an IPv4 address");
        if (command.Gateway is { } gateway && !Ipv4Subnet.TryAddress(gateway, out _)) return MonitorAnswer.Failed($"gateway {gateway} is not an IPv4 address");
        if (!TryPrefix(command.SubnetMask, out var prefix)) return MonitorAnswer.Failed($"subnet_mask {command.SubnetMask} is neither a mask nor the length of a prefix");
        var bridge = await bridges.SetupAsync(command.ContainerName!, command.VnicName ?? "", container.Pid, command.ParentInterface!, command.IpAddress!,
            command.Gateway, prefix, cancellationToken).ConfigureAwait(false);
        return new MonitorAnswer { Success = true, ProxyArp = bridge };
    }

    private async Task<MonitorAnswer> CleanupBridgeAsync(MonitorCommand command, CancellationToken cancellationToken)
    {
        if (command.ContainerName is not { } name) return MonitorAnswer.Failed("container_name is needed");
        if (command.ParentInterface is { } parent && !ContractType.IsInterfaceName(parent)) return MonitorAnswer.Failed($"{parent} is not the name of an interface");
        var veth = command.VethHost ?? LinkNames.Veth(name, command.VnicName ?? "");
        if (!ContractType.IsInterfaceName(veth)) return MonitorAnswer.Failed($"{veth} is not the name of an interface");
        if (command.VnicName is { } vnic) dhcp.Stop(name, vnic);
        await bridges.CleanupAsync(new ProxyArp { VethHost = veth, IpAddress = command.IpAddress, ParentInterface = command.ParentInterface }, cancellationToken)
            .ConfigureAwait(false);
        return MonitorAnswer.Done;
    }

    private async Task<MonitorAnswer> CleanupAllAsync(CancellationToken cancellationToken) =>
        new() { Success = true, VethsRemoved = await bridges.CleanupAllAsync(cancellationToken).ConfigureAwait(false) };

    private async Task<MonitorAnswer> NicAsync(MonitorCommand command, CancellationToken cancellationToken)
    {
        if (command.HostInterface is not { } nic || !ContractType.IsInterfaceName(nic)) return MonitorAnswer.Failed("host_interface must be the name of an interface");
        if (Process(command) is not { } container) return MonitorAnswer.Failed("container_pid must be the number of a running process");
        switch (command.Command)
        {
            case MonitorCommand.MoveNicToContainer:
                await nics.MoveAsync(container.Pid, nic, cancellationToken).ConfigureAwait(false);
                return MonitorAnswer.Done;
            case MonitorCommand.ReturnNicToHost:
                await nics.ReturnAsync(container.Pid, nic, cancellationToken).ConfigureAwait(false);
                return MonitorAnswer.Done;
            default:
                return new MonitorAnswer { Success = true, Present = await nics.IsInsideAsync(container.Pid, nic, cancellationToken).ConfigureAwait(false) };
        }
    }

    private static MonitorAnswer? Missing(
        MonitorCommand command, out ContainerProcess container, bool needsVnic = true, bool needsMac = false, bool needsParent = false)
    {
        container = default;
        if (string.IsNullOrEmpty(command.ContainerName)) return MonitorAnswer.Failed("container_name is needed");
        if (needsVnic && string.IsNullOrEmpty(command.VnicName)) return MonitorAnswer.Failed("vnic_name is needed");
        if (needsMac && (command.MacAddress is null || !MacAddress.TryNormalize(command.MacAddress, out _)))
            return MonitorAnswer.Failed($"mac_address {command.MacAddress} is not the address of a station");
        if (needsParent && (command.ParentInterface is null || !ContractType.IsInterfaceName(command.ParentInterface)))
            return MonitorAnswer.Failed($"parent_interface {command.ParentInterface} is not the name of an interface");
        if (Process(command) is not { } found) return MonitorAnswer.Failed("container_pid must be the number of a running process");
        container = found;
        return null;
    }

    private static ContainerProcess? Process(MonitorCommand command) => command.ContainerPid is { } pid and > 0 ? ContainerProcess.Find(pid) : null;

    private static bool TryPrefix(string? mask, out int prefix)
    {
        prefix = UsualPrefix;
        if (string.IsNullOrEmpty(mask)) return true;
        if (int.TryParse(mask, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out prefix)) return prefix is >= 1 and <= 32;
        if (!Ipv4Subnet.TryParse(mask, "0.0.0.0", out var subnet)) return false;
        prefix = subnet.PrefixLength;
        return true;
    }

    private static Lease? LeaseOf(LeaseFile? file, MonitorCommand command) => file is null ? null : NetworkMonitor.LeaseOf(file, command.ContainerName!, command.VnicName!, command.MacAddress);

    private static MonitorAnswer Status(JsonObject status) => new() { Success = true, Status = JsonSerializer.SerializeToElement(status, StatusJson.Default.JsonObject) };

    private JsonObject DhcpStatus()
    {
        var status = new JsonObject();
        foreach (var (client, lease) in dhcp.Snapshot())
            status[client.Key] = new JsonObject
            {
                ["running"] = client.IsRunning, ["pid"] = client.ClientPid, ["last_ip"] = lease is { IsGood: true } ? lease.Ip : null, ["interface"] = client.Interface,
            };
        return status;
    }

    private JsonObject DeviceStatus()
    {
        var devices = JsonSerializer.SerializeToNode(serial.Discover(), MonitorJson.Default.SerialDeviceList)!["devices"]!.DeepClone();
        return new JsonObject { ["running"] = true, ["pyudev_available"] = false, ["cached_devices"] = devices.AsArray().Count, ["devices"] = devices };
    }

    private JsonObject NetlinkStatus() => new()
    {
        ["running"] = true, ["degraded"] = !interfaces.State.IsListening, ["consecutive_errors"] = interfaces.State.Errors, ["socket_active"] = interfaces.State.IsListening,
        ["overruns"] = interfaces.State.Overruns,
    };

    private JsonObject WholeStatus() => new()
    {
        ["netlink"] = NetlinkStatus(), ["dhcp"] = DhcpStatus(), ["devices"] = DeviceStatus(), ["clients_connected"] = ClientCount(), ["pending_changes"] = 0,
    };

    [LoggerMessage(7125, LogLevel.Error, "the command {Command} failed")]
    private static partial void LogFailed(ILogger logger, string? command, Exception exception);
}

[System.Text.Json.Serialization.JsonSerializable(typeof(JsonObject))]
internal sealed partial class StatusJson : System.Text.Json.Serialization.JsonSerializerContext;
