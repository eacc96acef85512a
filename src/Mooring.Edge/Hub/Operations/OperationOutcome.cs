using System.Text.Json;
using Mooring.Edge.Hub.Agents;

namespace Mooring.Edge.Hub.Operations;

/// <summary>Reads from a device's status what has become of the operation that is waited for. Pure.</summary>
internal static class OperationOutcome
{
    public const string Orchestrator = "__orchestrator__";

    /// <summary>The operation after one more look at its device.</summary>
    public static HubOperation After(HubOperation operation, CallOutcome seen, DateTimeOffset now)
    {
        var next = Judge(operation, seen);
        return next == operation ? operation : next with { UpdatedAt = now };
    }

    private static HubOperation Judge(HubOperation operation, CallOutcome seen)
    {
        // An agent that takes itself away does not say goodbye; one that cannot be reached may come back.
        if (seen.Answer.ValueKind != JsonValueKind.Object)
            return operation.Topic == "delete_orchestrator" && seen.Status is 502 or 503
                ? operation with { State = OperationState.Succeeded, Step = "gone" }
                : operation;
        var step = seen.Text("step") ?? operation.Step;
        return seen.Text("status") switch
        {
            "error" => operation with { State = OperationState.Failed, Step = step, Error = seen.Text("error") ?? seen.Text("message") ?? "failed" },
            "not_found" when operation.Topic == "create_new_runtime" =>
                operation with { State = OperationState.Failed, Step = step, Error = seen.Text("last_operation_error") ?? "the device is not there after its creation" },
            "not_found" => operation with { State = OperationState.Succeeded, Step = step },
            "success" when operation.Topic == "delete_device" =>
                operation with { State = OperationState.Failed, Step = step, Error = seen.Text("last_operation_error") ?? "the device is still there" },
            "success" when seen.Text("last_operation_error") is { } error => operation with { State = OperationState.Failed, Step = step, Error = error },
            "success" => operation with { State = OperationState.Succeeded, Step = step },
            // creating, deleting, upgrading and whatever later agents call it
            _ => operation with { Step = step },
        };
    }
}
