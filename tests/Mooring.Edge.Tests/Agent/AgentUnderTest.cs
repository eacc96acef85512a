using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.Topics;
using Mooring.Edge.Agent.Upkeep;

namespace Mooring.Edge.Tests.Agent;

/// <summary>An agent without a hub: its topics are asked directly. With a real engine, and a monitor where a test starts one.</summary>
internal sealed class AgentUnderTest : IAsyncDisposable, IHubOutbox, IAgentLifetime, ITopicAudit
{
    private readonly CancellationTokenSource _stop = new();
    private readonly ServiceProvider _services;
    private readonly List<Task> _running = [];

    public AgentUnderTest(string folder, string engineSocket, ILoggerFactory logs, Func<AgentOptions, AgentOptions>? change = null, TimeProvider? time = null)
    {
        var options = new AgentOptions { DataFolder = folder, EngineSocket = engineSocket, Version = "test", Pull = PullPolicy.IfNotPresent };
        var services = new ServiceCollection()
            .AddSingleton(time ?? TimeProvider.System)
            .AddSingleton(logs).AddSingleton(typeof(ILogger<>), typeof(Logger<>))
            .AddSingleton<IHubOutbox>(this).AddSingleton<IAgentLifetime>(this).AddSingleton<ITopicAudit>(this)
            .AddAgentCore(change?.Invoke(options) ?? options, new AgentIdentity("07048933"));
        _services = services.BuildServiceProvider();
    }

    public ConcurrentQueue<(string Name, JsonObject Message)> Events { get; } = new();

    public string? StopReason { get; private set; }

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    /// <summary>Begins what a running agent does by itself: recovery, upkeep, following the engine and the monitor.</summary>
    public async Task<AgentUnderTest> StartAsync(CancellationToken cancellationToken)
    {
        foreach (var interrupted in Get<OperationJournal>().Read().Interrupted)
            await Get<CrashRecovery>().RecoverAsync(interrupted, cancellationToken);
        Get<Mooring.Edge.Agent.Hubs.DeviceEvents>();
        _running.Add(Get<UpkeepTriggers>().RunAsync(_stop.Token));
        _running.Add(Get<DeviceUpkeep>().RunAsync(_stop.Token));
        _running.Add(Get<Mooring.Edge.Agent.Network.NetworkMonitorClient>().RunAsync(_stop.Token));
        return this;
    }

    /// <summary>Asks as a hub does; the answer has gone through JSON as on the wire.</summary>
    public async Task<JsonElement> AskAsync(string topic, JsonNode? message)
    {
        using var document = JsonDocument.Parse(message?.ToJsonString() ?? "null");
        var answer = await Get<TopicTable>().AnswerAsync(topic, document.RootElement, CancellationToken.None);
        using var told = JsonDocument.Parse(answer.ToJsonString());
        return told.RootElement.Clone();
    }

    public Task<JsonElement> AskDeviceAsync(string topic, string device) => AskAsync(topic, new JsonObject { ["device_id"] = device });

    /// <summary>Asks for a device's status until it is as wanted, as hubs do: there is no signal for it.</summary>
    public async Task<JsonElement> StatusAsync(string device, Func<JsonElement, bool> isWanted, CancellationToken cancellationToken)
    {
        while (true)
        {
            var status = await AskDeviceAsync("get_device_status", device);
            if (isWanted(status)) return status;
            try
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"the last status of {device}: {status}");
            }
        }
    }

    public void Emit(string name, JsonObject message) => Events.Enqueue((name, message));

    public void Stop(string reason) => StopReason = reason;

    public void Record(string topic, JsonElement message, JsonObject answer, TimeSpan took)
    {
        // Tested where it is written to a file.
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running);
        await _services.DisposeAsync();
        _stop.Dispose();
    }
}
