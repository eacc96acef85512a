using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Mooring.Edge.NetMon.Clients;
using Mooring.Edge.NetMon.Dhcp;
using Mooring.Edge.NetMon.Interfaces;
using Mooring.Edge.NetMon.Serial;
using Mooring.Edge.NetMon.Vnics;
using Mooring.Edge.Protocol.Monitor;

namespace Mooring.Edge.NetMon;

/// <summary>Runs a network monitor inside a host.</summary>
public static class NetMonHosting
{
    /// <summary>Adds a network monitor that runs for as long as the host does.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="options">What can be chosen.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddNetworkMonitor(this IServiceCollection services, NetMonOptions options) => services
        .AddSingleton(options)
        .AddSingleton<Programs>().AddSingleton<HostInterfaces>().AddSingleton<InterfaceWatch>().AddSingleton<SerialWatch>()
        .AddSingleton<DhcpClients>().AddSingleton<ArpProbe>().AddSingleton<MacvlanVnics>().AddSingleton<PhysicalNics>().AddSingleton<ProxyArpBridges>()
        .AddSingleton<MonitorCommands>().AddSingleton<MonitorServer>()
        .AddHostedService<NetworkMonitor>();
}

/// <summary>The network monitor from its start to its end: it does for the agent what needs the host's network.</summary>
internal sealed partial class NetworkMonitor(
    NetMonOptions options, MonitorServer server, MonitorCommands commands, InterfaceWatch interfaces, SerialWatch serial, DhcpClients dhcp,
    ProxyArpBridges bridges, TimeProvider time, ILogger<NetworkMonitor> logger) : IHostedService, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    /// <summary>A lease as it is told to agents.</summary>
    public static Lease LeaseOf(LeaseFile file, string container, string vnic, string? mac) => new()
    {
        ContainerName = container,
        VnicName = vnic,
        MacAddress = mac,
        Ip = file.IsGood ? file.Ip : null,
        PrefixLength = file.Prefix,
        Gateway = file.Gateway,
        Dns = file.Dns,
        LeaseTime = file.LeaseSeconds,
        Event = file.IsGood ? file.Event : "expired",
    };

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        var listener = server.Listen();
        commands.ClientCount = () => server.ClientCount;
        interfaces.Changed += state => server.Tell(MonitorJson.Event(MonitorEvent.NetworkChange, state, MonitorJson.Default.InterfaceState));
        serial.Changed += (device, isThere) => server.Tell(MonitorJson.Event(
            MonitorEvent.DeviceChange, new SerialDeviceChange(isThere ? "add" : "remove", device), MonitorJson.Default.SerialDeviceChange));
        dhcp.Changed += (client, lease) => _ = TellLeaseAsync(client, lease);
        _running = Task.WhenAll(server.RunAsync(listener, _stop.Token), interfaces.RunAsync(_stop.Token), serial.RunAsync(_stop.Token), dhcp.RunAsync(_stop.Token));
        LogReady(logger, options.EffectiveSocket);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    private async Task TellLeaseAsync(DhcpClientRecord client, LeaseFile file)
    {
        var lease = LeaseOf(file, client.Container, client.Vnic, client.MacAddress) with { Timestamp = HostInterfaces.Stamp(time) };
        try
        {
            // A device behind WiFi gets its address over a bridge, which only now can be built.
            if (client.WifiParent is { } parent && lease.Ip is { } ip)
                lease = lease with
                {
                    ProxyArp = await bridges.SetupAsync(client.Container, client.Vnic, client.ContainerPid, parent, ip, lease.Gateway,
                        file.Prefix ?? 24, _stop.Token).ConfigureAwait(false),
                };
            // Its address may be another station's from now on.
            else if (client.WifiParent is not null)
                await bridges.CleanupAsync(new ProxyArp { VethHost = LinkNames.Veth(client.Container, client.Vnic) }, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ProgramException or OperationCanceledException)
        {
            LogBridge(logger, client.Key, e.Message);
            return;
        }
        server.Tell(MonitorJson.Event(MonitorEvent.DhcpUpdate, lease, MonitorJson.Default.Lease));
    }

    [LoggerMessage(7101, LogLevel.Information, "the network monitor listens at {SocketPath}")]
    private static partial void LogReady(ILogger logger, string socketPath);

    [LoggerMessage(7102, LogLevel.Warning, "{Key} has an address, and no bridge to it: {Reason}")]
    private static partial void LogBridge(ILogger logger, string key, string reason);
}
