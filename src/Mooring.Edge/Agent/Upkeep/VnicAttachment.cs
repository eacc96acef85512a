using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Protocol.Monitor;

namespace Mooring.Edge.Agent.Upkeep;

/// <summary>A device's places on the plant's network, by way of the network monitor.</summary>
internal sealed partial class VnicAttachment(
    INetworkMonitor monitor, HostNetwork network, AgentState state, DeviceNotes notes, ILogger<VnicAttachment> logger)
{
    /// <summary>Gives a device one interface, or repairs it.</summary>
    /// <returns>Whether it is there.</returns>
    public async Task<bool> AttachAsync(string device, VnicRecord vnic, ContainerDetails container, bool renew, CancellationToken cancellationToken)
    {
        var subject = $"vNIC {vnic.Name}:";
        if (CommandFor(device, vnic, container) is not { } command) return true;
        var answer = await monitor.SendAsync(command, cancellationToken).ConfigureAwait(false);
        if (answer.Success && renew && vnic.IsDhcp)
            answer = await monitor.SendAsync(command with { Command = MonitorCommand.RenewDhcp }, cancellationToken).ConfigureAwait(false);
        if (!answer.Success)
        {
            notes.Warn(device, $"{subject} {answer.Error}");
            LogFailed(logger, device, vnic.Name, answer.Error ?? "no reason was given");
            return false;
        }
        notes.Resolve(device, subject);
        if (answer.ProxyArp is { } bridge) Update(device, vnic.Name, v => v with { ProxyArp = bridge });
        // Without a lease the one that is remembered is another container's; the new one is told when it comes.
        if (vnic.IsDhcp && !renew) Take((answer.Lease ?? new Lease { Event = "expired" }) with { ContainerName = device, VnicName = vnic.Name });
        return true;
    }

    /// <summary>Takes away what a device had on the plant's network: leases are given back, bridges removed.</summary>
    /// <param name="device">The device.</param>
    /// <param name="pid">Its first process; 0 when it does not run.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="which">Only these; null is all.</param>
    public async Task DetachAsync(string device, int pid, CancellationToken cancellationToken, Func<VnicRecord, bool>? which = null)
    {
        foreach (var vnic in (state.Vnics.Find(device) ?? []).Where(which ?? (_ => true)))
        {
            var command = vnic.IsWifi == true
                ? new MonitorCommand
                {
                    Command = MonitorCommand.CleanupProxyArpBridge, ContainerName = device, IpAddress = vnic.ProxyArp?.IpAddress ?? vnic.DhcpIp ?? vnic.Ip,
                    ParentInterface = vnic.ParentInterface, VethHost = vnic.ProxyArp?.VethHost, VnicName = vnic.Name,
                }
                : new MonitorCommand { Command = MonitorCommand.DetachVnic, ContainerName = device, VnicName = vnic.Name, ContainerPid = pid > 0 ? pid : null };
            var answer = await monitor.SendAsync(command, cancellationToken).ConfigureAwait(false);
            if (!answer.Success && vnic.IsDhcp && vnic.IsWifi != true)
                answer = await monitor.SendAsync(command with { Command = MonitorCommand.StopDhcp }, cancellationToken).ConfigureAwait(false);
            if (!answer.Success) LogFailed(logger, device, vnic.Name, answer.Error ?? "no reason was given");
        }
    }

    /// <summary>Takes a lease that the monitor told of.</summary>
    public void Take(Lease lease)
    {
        if (lease is not { ContainerName: { } device, VnicName: { } name }) return;
        if (lease.Event == "expired")
            Update(device, name, v => v with { DhcpIp = null, DhcpGateway = null, DhcpDns = null });
        else if (lease.Ip is { Length: > 0 } ip)
            Update(device, name, v => v with { DhcpIp = ip, DhcpGateway = lease.Gateway, DhcpDns = lease.Dns, ProxyArp = lease.ProxyArp ?? v.ProxyArp });
    }

    private void Update(string device, string name, Func<VnicRecord, VnicRecord> change) =>
        state.Vnics.Update(device, vnics => vnics.Any(v => v.Name == name && change(v) != v)
            ? [.. vnics.Select(v => v.Name == name ? change(v) : v)]
            : vnics);

    private MonitorCommand? CommandFor(string device, VnicRecord vnic, ContainerDetails container)
    {
        var command = new MonitorCommand
        {
            ContainerName = device,
            ContainerPid = container.State.Pid,
            VnicName = vnic.Name,
            MacAddress = vnic.MacAddress,
            ParentInterface = vnic.ParentInterface,
            NetworkMode = vnic.NetworkMode,
        };
        var isStatic = vnic.NetworkMode == "static";
        var addressed = isStatic ? command with
        {
            IpAddress = Ipv4Subnet.WithoutPrefix(vnic.Ip),
            Gateway = vnic.Gateway,
            SubnetMask = SpecificationCheck.SubnetOf(vnic, network.Interfaces)?.PrefixLength.ToString(System.Globalization.CultureInfo.InvariantCulture),
        } : command;
        if (vnic.IsWifi == true)
        {
            if (isStatic) return addressed with { Command = MonitorCommand.SetupProxyArpBridge };
            return vnic.IsDhcp ? command with { Command = MonitorCommand.RequestWifiDhcp, ClientId = $"{device}:{vnic.Name}" } : null;
        }
        // The engine placed it, in this container or when an earlier agent made it: only an address may be missing.
        var endpoint = vnic.NetworkName is { } name ? container.NetworkSettings?.Networks?.GetValueOrDefault(name) : null;
        if (endpoint is null) return addressed with { Command = MonitorCommand.AttachVnic };
        return vnic.IsDhcp ? command with { Command = MonitorCommand.StartDhcp, MacAddress = endpoint.MacAddress ?? vnic.MacAddress } : null;
    }

    [LoggerMessage(7025, LogLevel.Warning, "{Device}: vNIC {Vnic}: {Reason}")]
    private static partial void LogFailed(ILogger logger, string device, string vnic, string reason);
}
