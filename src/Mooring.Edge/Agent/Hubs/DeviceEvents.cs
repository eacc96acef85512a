using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.Topics;
using Mooring.Edge.Agent.Upkeep;

namespace Mooring.Edge.Agent.Hubs;

/// <summary>Tells hubs what happens to devices without being asked: how operations end, and that a device is given up.</summary>
internal sealed class DeviceEvents : IDisposable
{
    private readonly IHubOutbox _outbox;
    private readonly DeviceUpkeep _upkeep;
    private readonly OperationTable _operations;
    private readonly HubTimes _times;

    public DeviceEvents(IHubOutbox outbox, DeviceUpkeep upkeep, OperationTable operations, HubTimes times)
    {
        (_outbox, _upkeep, _operations, _times) = (outbox, upkeep, operations, times);
        upkeep.Happened += OnHappened;
        operations.Ended += OnEnded;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _upkeep.Happened -= OnHappened;
        _operations.Ended -= OnEnded;
    }

    private void OnHappened(string device, string kind) => _outbox.Emit(kind, new JsonObject { ["device_id"] = device, ["at"] = Now });

    private void OnEnded(string device, OperationKind kind, string? error)
    {
        var data = new JsonObject { ["operation"] = Operation.WordOf(kind) };
        if (error is not null) data["error"] = error;
        _outbox.Emit("device_event", new JsonObject { ["device_id"] = device, ["kind"] = error is null ? "operation_succeeded" : "operation_failed", ["at"] = Now, ["data"] = data });
    }

    private string Now => _times.Now;
}
