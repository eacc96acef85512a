using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Hub.Agents;
using Mooring.Edge.Hub.Operations;
using Mooring.Edge.Hub.Store;

namespace Mooring.Edge.Hub.Desired;

/// <summary>
/// Compares devices with how they were wanted, when their agent connects and every five minutes. It only tells: what runs at a plant is
/// never changed because a hub thinks otherwise.
/// </summary>
internal sealed partial class DesiredState(
    AgentCalls calls, OperationTracker operations, AgentRegistry registry, HubStore store, HubHistory history, TimeProvider time, ILogger<DesiredState> logger)
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(5);

    /// <summary>Agents that wait for their look after all came back at once; the others are looked at with the next round.</summary>
    private const int WaitingMax = 10_000;

    private readonly ConcurrentDictionary<(string Agent, string Device), DeviceDrift> _drifts = new();
    private readonly Channel<string> _connected = Channel.CreateBounded<string>(new BoundedChannelOptions(WaitingMax) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    /// <summary>An agent has connected.</summary>
    public void Connected(string agent) => _connected.Writer.TryWrite(agent);

    /// <summary>The devices of an agent that are not as they were wanted, as far as is known.</summary>
    public IReadOnlyList<DeviceDrift> Of(string agent) =>
        [.. _drifts.Where(drift => drift.Key.Agent == agent).Select(drift => drift.Value).OrderBy(drift => drift.DeviceId, StringComparer.Ordinal)];

    /// <summary>Looks until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Task.WhenAll(FollowAsync(cancellationToken), RepeatAsync(cancellationToken));
        }
        catch (OperationCanceledException)
        {
            // The hub stops.
        }
    }

    /// <summary>Looks at the devices of one agent.</summary>
    public async Task LookAsync(string agent, CancellationToken cancellationToken)
    {
        var wanted = await store.SpecificationsAsync(agent, cancellationToken);
        foreach (var key in _drifts.Keys.Where(key => key.Agent == agent && wanted.All(w => w.Device != key.Device))) _drifts.TryRemove(key, out _);
        foreach (var (device, specification) in wanted)
        {
            var status = await calls.CallAsync(agent, "get_device_status", new JsonObject { ["device_id"] = device }, null, cancellationToken);
            if (Parse(specification) is not { } document || DeviceDrift.Compare(document, status) is not { } differences) continue;
            if (differences.Contains(DeviceDrift.Missing) && await IsDeletedAsync(agent, device, cancellationToken)) _drifts.TryRemove((agent, device), out _);
            else Note(agent, device, differences);
        }
    }

    // What somebody has just deleted is missed by nobody, before the hub has forgotten it and after.
    private async Task<bool> IsDeletedAsync(string agent, string device, CancellationToken cancellationToken) =>
        operations.IsBeingDeleted(agent, device)
        || (await store.SpecificationsAsync(agent, cancellationToken)).All(wanted => wanted.Device != device);

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        await foreach (var agent in _connected.Reader.ReadAllAsync(cancellationToken)) await TryLookAsync(agent, cancellationToken);
    }

    private async Task RepeatAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
            foreach (var entry in registry.All)
                if (entry.Socket is not null) await TryLookAsync(entry.Record.Id, cancellationToken);
    }

    private async Task TryLookAsync(string agent, CancellationToken cancellationToken)
    {
        try
        {
            await LookAsync(agent, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogNotCompared(agent, e.Message);
        }
    }

    private void Note(string agent, string device, IReadOnlyList<string> differences)
    {
        var key = (agent, device);
        var before = _drifts.GetValueOrDefault(key)?.Differences ?? [];
        if (differences.Count == 0) _drifts.TryRemove(key, out _);
        else _drifts[key] = new DeviceDrift(device, differences, time.GetUtcNow());
        if (before.SequenceEqual(differences)) return;
        history.Publish("device_drift", agent, w =>
        {
            w.WriteString("device_id"u8, device);
            w.WriteStartArray("differences"u8);
            foreach (var difference in differences) w.WriteStringValue(difference);
            w.WriteEndArray();
        });
    }

    /// <summary>Reads a stored specification; null for one that no hub of today has written.</summary>
    public static JsonObject? Parse(string specification)
    {
        try
        {
            return JsonNode.Parse(specification) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    [LoggerMessage(7550, LogLevel.Warning, "The devices of agent {Agent} cannot be compared with how they were wanted: {Why}")]
    private partial void LogNotCompared(string agent, string why);
}
