using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Hub.Agents;
using Mooring.Edge.Hub.Api;
using Mooring.Edge.Hub.Desired;
using Mooring.Edge.Hub.Enrolment;
using Mooring.Edge.Hub.Operations;
using Mooring.Edge.Hub.Store;
using Mooring.Kernel.Events;
using Mooring.SocketIO;

namespace Mooring.Edge.Hub;

/// <summary>The cloud end of the agents: everything that lives as long as the process, in the order in which it is made.</summary>
internal sealed partial class EdgeHub : IHostedService, IAsyncDisposable
{
    private static readonly TimeSpan RefreshPeriod = TimeSpan.FromSeconds(5);

    private readonly HubOptions _options;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly OperatorEvents? _events;
    private readonly CancellationTokenSource _stopping = new();
    private readonly HubMetrics _metrics = new();
    private Parts? _parts;
    private Task _running = Task.CompletedTask;

    public EdgeHub(HubOptions options, AgentAuthority authority, TimeProvider time, ILoggerFactory loggers, OperatorEvents? events = null)
    {
        _events = events;
        (_options, Authority, _time, _loggers, _logger) = (options, authority, time, loggers, loggers.CreateLogger("Mooring.Edge.Hub"));
    }

    public AgentAuthority Authority { get; }

    public HubOptions Options => _options;

    /// <summary>What exists once the hub has started.</summary>
    public Parts Running => _parts ?? throw new InvalidOperationException("the hub has not started yet");

    public bool IsRunning => _parts is not null;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var store = await HubStore.OpenAsync(_options, cancellationToken);
        var history = new HubHistory(store, _options.Limits, _time, _loggers.CreateLogger<HubHistory>(), _events);
        await history.LoadAsync(cancellationToken);
        var registry = new AgentRegistry(store, Authority, history, _metrics, _time, _loggers.CreateLogger<AgentRegistry>());
        await registry.LoadAsync(cancellationToken);
        var numbers = new NumberSource(store);
        var calls = new AgentCalls(registry, numbers, _options, _metrics, _time);
        var operations = new OperationTracker(calls, store, history, _options, _time, _loggers.CreateLogger<OperationTracker>());
        var desired = new DesiredState(calls, operations, registry, store, history, _time, _loggers.CreateLogger<DesiredState>());
        registry.Joined += desired.Connected;
        _metrics.Observe(() => registry.All.Count(entry => entry.Socket is not null), () => registry.All.Count);
        var enrolments = new Enrolments(store, Authority, _time);
        var access = new HubAccess(store, _time);
        await access.RefreshAsync(cancellationToken);
        var server = NewServer(registry);
        var gate = new AgentGate(server, registry, enrolments, Authority, _options, _time, _loggers.CreateLogger<AgentGate>());
        _parts = new Parts(store, history, registry, numbers, calls, operations, desired, enrolments, access, server, gate);
        _running = Task.WhenAll(history.RunAsync(_stopping.Token), RefreshAsync(registry, access, _stopping.Token), desired.RunAsync(_stopping.Token));
        LogStarted(registry.All.Count);
    }

    /// <summary>Ends what agents and watchers keep open.</summary>
    public void Close()
    {
        _parts?.Server.Dispose();
        _parts?.History.Close();
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_parts is not { } parts || _stopping.IsCancellationRequested) return;
        Close();
        parts.Operations.Dispose();
        await _stopping.CancelAsync();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        if (_parts is not { } parts) return;
        await StopAsync(CancellationToken.None);
        parts.Numbers.Dispose();
        await parts.Store.DisposeAsync();
        _metrics.Dispose();
        _stopping.Dispose();
        _parts = null;
    }

    private SocketIOServer NewServer(AgentRegistry registry)
    {
        var server = new SocketIOServer(
            new SocketIOServerOptions
            {
                ConnectionsMax = _options.Limits.AgentsMax,
                Admit = registry.AdmitAsync,
                Limits = new SocketIOLimits
                {
                    PayloadBytesMax = _options.Limits.PayloadBytesMax,
                    OutboxBytesMax = _options.Limits.OutboxBytesMax,
                    // Operations are followed besides the operators' calls.
                    CallsMax = _options.Limits.CallsMax * 2,
                },
            },
            _time, _loggers);
        server.Root
            .OnConnected(socket =>
            {
                registry.Connected(socket);
                return ValueTask.CompletedTask;
            })
            .OnDisconnected(registry.Disconnected)
            .On("heartbeat", registry.BeatAsync);
        foreach (var told in new[] { "device_event", "device_log", "pull_progress", "orchestrator_removed", "crash_loop", "crash_loop_ended", "certificate_expiring", "upgrade_finished", "webrtc:ice" })
        {
            server.Root.On(told, (socket, e) =>
            {
                registry.Told(socket, told, e);
                return ValueTask.CompletedTask;
            });
        }
        return server;
    }

    private async Task RefreshAsync(AgentRegistry registry, HubAccess access, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(RefreshPeriod, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                try
                {
                    await registry.RefreshAsync(cancellationToken);
                    await access.RefreshAsync(cancellationToken);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    LogNotRefreshed(e.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The hub stops.
        }
    }

    /// <summary>What the running hub consists of.</summary>
    internal sealed record Parts(
        HubStore Store, HubHistory History, AgentRegistry Registry, NumberSource Numbers, AgentCalls Calls, OperationTracker Operations, DesiredState Desired,
        Enrolments Enrolments, HubAccess Access, SocketIOServer Server, AgentGate Gate);

    [LoggerMessage(7530, LogLevel.Information, "The hub is up; {Agents} agents are enrolled")]
    private partial void LogStarted(int agents);

    [LoggerMessage(7531, LogLevel.Warning, "The store cannot be read: {Why}")]
    private partial void LogNotRefreshed(string why);
}
