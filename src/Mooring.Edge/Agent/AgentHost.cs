using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Audit;
using Mooring.Edge.Agent.Debugging;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Hubs;
using Mooring.Edge.Agent.Metrics;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Agent.Topics;
using Mooring.Edge.Agent.Upgrade;
using Mooring.Edge.Agent.Upkeep;
using Mooring.Kernel.Tls;


namespace Mooring.Edge.Agent;

/// <summary>Runs an agent inside a host.</summary>
public static class AgentHosting
{
    /// <summary>Adds an agent that runs for as long as the host does.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="options">What can be chosen.</param>
    /// <returns>The services.</returns>
    /// <exception cref="AgentStartException">Certificate or key cannot be read, or the certificate names nobody.</exception>
    public static IServiceCollection AddEdgeAgent(this IServiceCollection services, AgentOptions options)
    {
        var files = AgentCertificate.FilesOf(options);
        var id = AgentCertificate.ReadId(files);
        services.AddSingleton(p => new ReloadableCertificate(files, p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<ReloadableCertificate>>()));
        services.AddSingleton<HubLink>().AddSingleton<IHubOutbox>(p => p.GetRequiredService<HubLink>());
        services.AddSingleton<IAgentLifetime, HostLifetime>().AddSingleton<CertificateWatch>();
        services.AddSingleton<ITopicAudit>(p => new AuditLog(Path.Combine(options.DataFolder, "logs", "audit.jsonl"),
            p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<AuditLog>>()));
        services.AddSingleton(p => new Heartbeat(options, p.GetRequiredService<AgentIdentity>(), p.GetRequiredService<HostLoad>(),
            p.GetRequiredService<LoadRecorder>(), p.GetRequiredService<AgentState>(), p.GetRequiredService<IHubOutbox>(),
            () => p.GetRequiredService<HubLink>().IsUp, p.GetRequiredService<HubTimes>(), p.GetRequiredService<TimeProvider>()));
        services.AddAgentCore(options, new AgentIdentity(id)).AddHostedService<AgentHost>();
        return options.MetricsPort is { } port ? services.AddHostedService(p => PageOf(p, port)) : services;
    }

    private static MetricsPage PageOf(IServiceProvider p, int port)
    {
        var hub = p.GetRequiredService<HubLink>();
        var metrics = new AgentMetrics(
            () => hub.IsUp, () => hub.Connections, p.GetRequiredService<AgentState>(), p.GetRequiredService<OperationTable>(), p.GetRequiredService<LoadRecorder>(),
            p.GetRequiredService<INetworkMonitor>());
        return new MetricsPage(port, metrics, p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<MetricsPage>>());
    }

    private sealed class HostLifetime(IHostApplicationLifetime host, ILogger<AgentHost> logger) : IAgentLifetime
    {
        public void Stop(string reason)
        {
            AgentHost.LogStopped(logger, reason);
            host.StopApplication();
        }
    }
}

/// <summary>The agent from its start to its end.</summary>
internal sealed partial class AgentHost(
    AgentOptions options, HubLink hub, Heartbeat heartbeat, CertificateWatch certificate, DeviceUpkeep upkeep, UpkeepTriggers triggers, NetworkMonitorClient monitor, DebugSessions debugging, CrashRecovery recovery,
    OperationJournal journal, AgentState state, AgentWork work, DeviceEvents events, TimeProvider time,
    ILogger<AgentHost> logger) : BackgroundService
{
    private static readonly TimeSpan EngineRetry = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Wait for the network monitor before devices are looked after. It starts beside the agent; a device that is started before it has no
    /// place on the plant's network for that long.
    /// </summary>
    private static readonly TimeSpan MonitorGrace = TimeSpan.FromSeconds(30);

    [LoggerMessage(7003, LogLevel.Information, "the agent stops: {Reason}")]
    internal static partial void LogStopped(ILogger logger, string reason);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var finding in state.Findings()) LogFinding(logger, finding);
        hub.Joined += _ =>
        {
            SessionMark.Write(options.DataFolder, options.Version, time.GetUtcNow());
            return Task.CompletedTask;
        };
        // The hub first: an operator sees the agent, and what is wrong with it, even when there is no engine.
        await Task.WhenAll(hub.RunAsync(stoppingToken), heartbeat.RunAsync(stoppingToken), certificate.RunAsync(stoppingToken), monitor.RunAsync(stoppingToken),
            debugging.RunAsync(stoppingToken), LookAfterDevicesAsync(stoppingToken))
            .ConfigureAwait(false);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        await work.DisposeAsync().ConfigureAwait(false);
        events.Dispose();
    }

    private async Task LookAfterDevicesAsync(CancellationToken cancellationToken)
    {
        try
        {
            await RecoverAsync(cancellationToken).ConfigureAwait(false);
            if (state.Devices.Snapshot().Count > 0) await WaitForMonitorAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return;
        }
        await Task.WhenAll(triggers.RunAsync(cancellationToken), upkeep.RunAsync(cancellationToken)).ConfigureAwait(false);
    }

    private async Task RecoverAsync(CancellationToken cancellationToken)
    {
        var (interrupted, unreadable) = journal.Read();
        foreach (var file in unreadable) LogFinding(logger, $"{file} cannot be read and is left alone");
        foreach (var operation in interrupted)
        {
            while (true)
            {
                try
                {
                    await recovery.RecoverAsync(operation, cancellationToken).ConfigureAwait(false);
                    break;
                }
                catch (EngineException e)
                {
                    LogRecovery(logger, operation.Name, e.Message);
                    await Task.Delay(EngineRetry, time, cancellationToken).ConfigureAwait(false);
                }
            }
        }
    }

    private async Task WaitForMonitorAsync(CancellationToken cancellationToken)
    {
        var connected = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Connected() => connected.TrySetResult();
        monitor.Connected += Connected;
        try
        {
            if (!monitor.IsConnected) await connected.Task.WaitAsync(MonitorGrace, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            LogNoMonitor(logger, MonitorGrace.TotalSeconds);
        }
        finally
        {
            monitor.Connected -= Connected;
        }
    }

    [LoggerMessage(7001, LogLevel.Warning, "{Finding}")]
    private static partial void LogFinding(ILogger logger, string finding);

    [LoggerMessage(7002, LogLevel.Warning, "what was begun with {Device} is not brought to its end yet: {Reason}")]
    private static partial void LogRecovery(ILogger logger, string device, string reason);

    [LoggerMessage(7004, LogLevel.Warning, "the network monitor did not come within {Seconds} s: devices are started without their place on the plant's network")]
    private static partial void LogNoMonitor(ILogger logger, double seconds);
}
