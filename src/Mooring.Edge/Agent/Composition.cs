using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Debugging;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Hubs;
using Mooring.Edge.Agent.Metrics;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.Policy;
using Mooring.Edge.Agent.RuntimeCalls;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Agent.Topics;
using Mooring.Edge.Agent.Topics.Devices;
using Mooring.Edge.Agent.Topics.Host;
using Mooring.Edge.Agent.Upgrade;
using Mooring.Edge.Agent.Upkeep;

namespace Mooring.Edge.Agent;

/// <summary>Puts the agent together.</summary>
internal static class Composition
{
    /// <summary>Adds everything but what connects it to a hub.</summary>
    public static IServiceCollection AddAgentCore(this IServiceCollection services, AgentOptions options, AgentIdentity identity)
    {
        services.AddSingleton(options).AddSingleton(identity);
        services.AddSingleton(AgentPolicy.Load(options.PolicyFile ?? Path.Combine(options.DataFolder, "policy.json"), mustExist: options.PolicyFile is not null));
        services.AddSingleton(p => new EngineClient(new EngineClientOptions { SocketPath = options.EngineSocket }, p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(p => new EngineSelf(p.GetRequiredService<EngineClient>(), EngineSelf.NamesOfThisProcess()));
        services.AddSingleton(p => new AgentState(options.DataFolder, p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(_ => new OperationJournal(Path.Combine(options.DataFolder, "data", "operations")));
        services.AddSingleton<IOperationJournal>(p => p.GetRequiredService<OperationJournal>());
        services.AddSingleton(p => new LoadRecorder(Path.Combine(options.DataFolder, "data", "load"), p.GetRequiredService<EngineClient>(),
            p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<LoadRecorder>>()));
        services.AddSingleton(p => new RuntimeCaller(options, p.GetRequiredService<TimeProvider>(), options.PinsRuntimes ? PinsOf(p) : null));
        services.AddSingleton(new NetworkMonitorOptions { SocketPath = options.EffectiveMonitorSocket });
        services.AddSingleton<INetworkMonitor>(p => p.GetRequiredService<NetworkMonitorClient>());
        services.AddSingleton(_ => new HostLoad()).AddSingleton(p => HostFacts.Read(p.GetRequiredService<HostLoad>()));
        return services
            .AddSingleton<HubTimes>().AddSingleton<OperationTable>().AddSingleton<AgentWork>().AddSingleton<HostNetwork>().AddSingleton<NetworkMonitorClient>()
            .AddSingleton<DeviceNotes>().AddSingleton<EngineLans>().AddSingleton<InternalNetworks>().AddSingleton<ImagePull>().AddSingleton<DevicePlanning>().AddSingleton<DeviceCreation>()
            .AddSingleton<ContainerReplacement>().AddSingleton<OrchestratorUpgrade>().AddSingleton<DeviceUpdate>()
            .AddSingleton<DeviceDeletion>().AddSingleton<DeviceControl>().AddSingleton<DeviceStatus>().AddSingleton<CrashRecovery>()
            .AddSingleton<SelfDestruction>().AddSingleton<VnicAttachment>().AddSingleton<DedicatedNics>().AddSingleton<SerialPorts>()
            .AddSingleton<DeviceAttachment>().AddSingleton<DeviceUpkeep>().AddSingleton<UpkeepTriggers>().AddSingleton<DebugSessions>().AddSingleton<DeviceEvents>()
            .AddTopics();
    }

    private static RuntimePins PinsOf(IServiceProvider p)
    {
        var engine = p.GetRequiredService<EngineClient>();
        return new RuntimePins(p.GetRequiredService<AgentState>().RuntimePins, ContainerOfAsync, p.GetRequiredService<ILogger<RuntimePins>>());

        async Task<string?> ContainerOfAsync(string device, CancellationToken cancellationToken) =>
            (await engine.InspectContainerAsync(device, cancellationToken).ConfigureAwait(false))?.Id;
    }

    // One line for each thing that a hub can ask for.
    private static IServiceCollection AddTopics(this IServiceCollection services) => services
        .AddSingleton<ITopic, CreateNewRuntime>()
        .AddSingleton<ITopic, DeleteDevice>()
        .AddSingleton<ITopic, UpdateDevice>()
        .AddSingleton<ITopic, GetDeviceStatus>()
        .AddSingleton<ITopic, RunCommand>()
        .AddSingleton<ITopic, GetLogs>()
        .AddSingleton<ITopic>(p => Control(p, "start_device", OperationKind.Start))
        .AddSingleton<ITopic>(p => Control(p, "stop_device", OperationKind.Stop))
        .AddSingleton<ITopic>(p => Control(p, "restart_device", OperationKind.Restart))
        .AddSingleton<ITopic>(WebRtc.Offer)
        .AddSingleton<ITopic>(WebRtc.Ice)
        .AddSingleton<ITopic>(WebRtc.Disconnect)
        .AddSingleton<ITopic, GetHostInterfaces>()
        .AddSingleton<ITopic, GetSerialDevices>()
        .AddSingleton<ITopic, GetConsumptionDevice>()
        .AddSingleton<ITopic, GetConsumptionOrchestrator>()
        .AddSingleton<ITopic, GetOrchestratorVersion>()
        .AddSingleton<ITopic, UpgradeOrchestrator>()
        .AddSingleton<ITopic, DeleteOrchestrator>()
        .AddSingleton<TopicTable>();

    private static ControlDevice Control(IServiceProvider p, string name, OperationKind kind) => new(name, kind,
        p.GetRequiredService<AgentState>(), p.GetRequiredService<DeviceControl>(), p.GetRequiredService<IHubOutbox>());
}
