using System.Net;
using Mooring.Edge.Agent;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Hub;
using Mooring.Edge.NetMon;

namespace Mooring.Cli.Hosting;

/// <summary>
/// The edge agent of <c>mooring up --demo</c>: enrolled at the hub beside it, and run on this machine's container engine. It makes nothing
/// before somebody asks for it.
/// </summary>
internal sealed class DemoAgent : IHostedLifecycleService, IDisposable
{
    /// <summary>The agent's id.</summary>
    internal const string Id = "demo";

    private readonly HubOptions _hub;
    private readonly Func<IPEndPoint> _address;
    private readonly string _folder;
    private readonly string _engineSocket;
    private readonly ILoggerFactory _loggers;
    private IHost? _host;

    private DemoAgent(HubOptions hub, Func<IPEndPoint> address, string folder, string engineSocket, ILoggerFactory loggers) =>
        (_hub, _address, _folder, _engineSocket, _loggers) = (hub, address, folder, engineSocket, loggers);

    /// <summary>Adds the agent when an engine answers.</summary>
    /// <returns>Puts the agent, or how to get one, into the table.</returns>
    internal static async Task<Action<AddressTable, string>> AddToAsync(
        MooringHost host, HubOptions hub, Func<IPEndPoint> address, string dataFolder, CancellationToken cancellationToken)
    {
        var socket = ContainerEngine.UsualSocket;
        if (await ContainerEngine.VersionAsync(socket, cancellationToken) is not { } version)
            return (table, _) => table.Add("edge agent", $"no container engine answers at {socket}", "start one, such as Docker, and then this command again");
        host.Services.AddHostedService(services => new DemoAgent(
            hub, address, Path.Combine(dataFolder, "demo-agent"), socket, services.GetRequiredService<ILoggerFactory>()));
        return (table, http) => table.Add("edge agent", $"{Id}, on the engine at {socket} (API {version})", $"curl {http}/api/orchestrators/{Id}/status");
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // When everything has started: now the hub is there to be connected to.
    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        var (certificate, key) = (Path.Combine(_folder, "client.crt"), Path.Combine(_folder, "client.key"));
        if (!File.Exists(certificate) || !File.Exists(key))
            await HubCommands.EnrolAsync(_hub, Id, "this machine", _folder, mustBeKnown: false, cancellationToken);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton(TimeProvider.System).AddSingleton(_loggers).AddSingleton<IHostLifetime, QuietLifetime>();
        builder.Services.AddEdgeAgent(new AgentOptions
        {
            Server = new Uri($"https://127.0.0.1:{_address().Port}"),
            DataFolder = _folder,
            CertificateFile = certificate,
            KeyFile = key,
            AuthorityFile = Path.Combine(_folder, "ca.crt"),
            EngineSocket = _engineSocket,
            Version = "demo",
        });
        // Interfaces on the plant's network are only to be had as root.
        if (Environment.IsPrivilegedProcess) builder.Services.AddNetworkMonitor(new NetMonOptions { DataFolder = _folder });
        _host = builder.Build();
        await _host.StartAsync(cancellationToken);
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        if (_host is not null) await _host.StopAsync(cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _host?.Dispose();
}
