using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Hub.Agents;
using Mooring.Edge.Hub.Store;

namespace Mooring.Edge.Hub.Operations;

/// <summary>Follows what agents were told to do, by asking them each second, until it has ended.</summary>
internal sealed partial class OperationTracker(
    AgentCalls calls, HubStore store, HubHistory history, HubOptions options, TimeProvider time, ILogger<OperationTracker> logger) : IDisposable
{
    private static readonly TimeSpan LookPeriod = TimeSpan.FromSeconds(1);

    /// <summary>Longer than any pull over a slow link that somebody still waits for.</summary>
    private static readonly TimeSpan OperationMax = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<long, Tracked> _operations = new();
    private readonly ConcurrentQueue<long> _order = new();
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Begins to follow an operation that an agent has accepted.</summary>
    public HubOperation Begin(long id, string agent, string device, string topic)
    {
        var now = time.GetUtcNow();
        var tracked = new Tracked(new HubOperation(id, agent, device, topic, OperationState.Running, null, null, now, now), time.GetTimestamp());
        _operations[id] = tracked;
        _order.Enqueue(id);
        while (_operations.Count > options.Limits.OperationsMax && _order.TryDequeue(out var oldest)) _operations.TryRemove(oldest, out _);
        tracked.Following = FollowAsync(tracked);
        return tracked.Operation;
    }

    public HubOperation? Find(string agent, long id) =>
        _operations.TryGetValue(id, out var tracked) && tracked.Operation.Agent == agent ? tracked.Operation : null;

    /// <summary>All that are remembered.</summary>
    public IEnumerable<HubOperation> All => _operations.Select(o => o.Value.Operation);

    public IReadOnlyList<HubOperation> Of(string agent) =>
        [.. _operations.Values.Select(t => t.Operation).Where(o => o.Agent == agent).OrderByDescending(o => o.Id)];

    /// <summary>Whether a device is being deleted, or is gone and not forgotten yet.</summary>
    public bool IsBeingDeleted(string agent, string device) => _operations.Values.Any(t =>
        !t.Ended.Task.IsCompleted && t.Operation.Topic == "delete_device" && t.Operation.Agent == agent && t.Operation.Device == device);

    /// <summary>Waits for the end of an operation, for a while.</summary>
    /// <returns>The operation as it is then.</returns>
    public async Task<HubOperation?> WaitAsync(string agent, long id, TimeSpan wait, CancellationToken cancellationToken)
    {
        if (!_operations.TryGetValue(id, out var tracked) || tracked.Operation.Agent != agent) return null;
        try
        {
            if (wait > TimeSpan.Zero) await tracked.Ended.Task.WaitAsync(wait, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Still running: that is an answer too.
        }
        return tracked.Operation;
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    private async Task FollowAsync(Tracked tracked)
    {
        using var activity = HubTracing.StartOperation(tracked.Operation);
        try
        {
            using var timer = new PeriodicTimer(LookPeriod, time);
            var stopping = _stopping.Token;
            while (!tracked.Operation.HasEnded && await timer.WaitForNextTickAsync(stopping)) await LookAsync(tracked, stopping);
            HubTracing.Finish(activity, tracked.Operation);
            await FinishAsync(tracked.Operation, stopping);
        }
        catch (OperationCanceledException)
        {
            // The hub stops; the agent goes on with it.
        }
        catch (Exception e)
        {
            LogNotFollowed(tracked.Operation.Topic, tracked.Operation.Agent, e);
        }
        finally
        {
            tracked.Ended.TrySetResult();
        }
    }

    private async Task LookAsync(Tracked tracked, CancellationToken cancellationToken)
    {
        var before = tracked.Operation;
        var seen = await calls.CallAsync(
            before.Agent, "get_device_status", new JsonObject { ["device_id"] = before.Device }, null, cancellationToken);
        var now = time.GetUtcNow();
        var after = OperationOutcome.After(before, seen, now);
        if (!after.HasEnded && time.GetElapsedTime(tracked.Began) > OperationMax)
            after = after with { State = OperationState.Failed, Error = $"no end after {OperationMax.TotalMinutes:0} min", UpdatedAt = now };
        tracked.Operation = after;
        if (after.Step != before.Step && !after.HasEnded) Publish("operation_progress", after);
    }

    private async Task FinishAsync(HubOperation operation, CancellationToken cancellationToken)
    {
        LogEnded(operation.Topic, operation.Device, operation.Agent, operation.State, operation.Error);
        Publish("operation_finished", operation);
        if (operation is { Topic: "delete_device", State: OperationState.Succeeded })
            await store.RemoveDeviceAsync(operation.Agent, operation.Device, cancellationToken);
    }

    private void Publish(string kind, HubOperation operation) => history.Publish(kind, operation.Agent, w =>
    {
        w.WriteNumber("operation"u8, operation.Id);
        w.WriteString("topic"u8, operation.Topic);
        w.WriteString("device_id"u8, operation.Device);
        w.WriteString("state"u8, operation.State.ToString().ToLowerInvariant());
        if (operation.Step is { } step) w.WriteString("step"u8, step);
        if (operation.Error is { } error) w.WriteString("error"u8, error);
    });

    private sealed class Tracked(HubOperation operation, long began)
    {
        private volatile HubOperation _operation = operation;

        public HubOperation Operation
        {
            get => _operation;
            set => _operation = value;
        }

        /// <summary>When it began, as a timestamp: its longest time is no matter of what the clock shows.</summary>
        public long Began => began;

        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task? Following { get; set; }
    }

    [LoggerMessage(7520, LogLevel.Information, "{Topic} of {Device} at agent {Agent} has ended: {State} {Error}")]
    private partial void LogEnded(string topic, string device, string agent, OperationState state, string? error);

    [LoggerMessage(7521, LogLevel.Error, "{Topic} at agent {Agent} cannot be followed any more")]
    private partial void LogNotFollowed(string topic, string agent, Exception exception);
}
