using System.Text.Json;
using Mooring.Edge.Hub.Agents;
using Mooring.Edge.Hub.Operations;

namespace Mooring.Edge.Tests.Hub;

/// <summary>What becomes of an operation after one more look at its device.</summary>
public sealed class OperationOutcomeTests
{
    private static readonly DateTimeOffset Begin = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("create_new_runtime", "{\"status\":\"creating\",\"step\":\"pulling_image\"}", "Running", "pulling_image", null)]
    [InlineData("create_new_runtime", "{\"status\":\"success\",\"is_running\":true}", "Succeeded", null, null)]
    [InlineData("create_new_runtime", "{\"status\":\"success\",\"last_operation_error\":\"no lease\"}", "Failed", null, "no lease")]
    [InlineData("create_new_runtime", "{\"status\":\"error\",\"operation\":\"create\",\"step\":\"x\",\"error\":\"no image\"}", "Failed", "x", "no image")]
    [InlineData("create_new_runtime", "{\"status\":\"not_found\"}", "Failed", null, "the device is not there after its creation")]
    [InlineData("delete_device", "{\"status\":\"deleting\",\"step\":\"stopping_container\"}", "Running", "stopping_container", null)]
    [InlineData("delete_device", "{\"status\":\"not_found\"}", "Succeeded", null, null)]
    [InlineData("delete_device", "{\"status\":\"success\"}", "Failed", null, "the device is still there")]
    [InlineData("upgrade_orchestrator", "{\"status\":\"upgrading\",\"step\":\"pulling_images\"}", "Running", "pulling_images", null)]
    [InlineData("upgrade_orchestrator", "{\"status\":\"not_found\"}", "Succeeded", null, null)]
    public void StatusOfTheDevice_TellsHowFarItIs(string topic, string status, string state, string? step, string? error)
    {
        var after = OperationOutcome.After(Operation(topic), AgentCalls.Judge("get_device_status", JsonDocument.Parse(status).RootElement, 1), Begin);
        Assert.Equal((state, step, error), (after.State.ToString(), after.Step, after.Error));
    }

    [Theory]
    [InlineData("create_new_runtime", 503, "Running")]
    [InlineData("create_new_runtime", 504, "Running")]
    [InlineData("delete_orchestrator", 504, "Running")]
    [InlineData("delete_orchestrator", 503, "Succeeded")]
    [InlineData("delete_orchestrator", 502, "Succeeded")]
    public void AgentThatCannotBeReached_IsWaitedForUnlessItRemovesItself(string topic, int status, string state) =>
        Assert.Equal(state, OperationOutcome.After(Operation(topic), new CallOutcome(status, "away", default, 1), Begin).State.ToString());

    [Theory]
    [InlineData("{\"status\":\"success\"}", 200)]
    [InlineData("{\"memory\":\"unlimited\"}", 200)]
    [InlineData("{\"status\":\"error\",\"error\":\"plc already has a create operation in progress\"}", 409)]
    [InlineData("{\"status\":\"error\",\"error\":\"busy\",\"error_code\":\"operation_in_progress\"}", 409)]
    [InlineData("{\"status\":\"error\",\"error\":\"Device not found: x\"}", 404)]
    [InlineData("{\"status\":\"not_found\",\"message\":\"no\"}", 404)]
    [InlineData("{\"status\":\"error\",\"error\":\"Missing required field: \\\"Missing key: name\\\"\"}", 400)]
    [InlineData("{\"status\":\"error\",\"error\":\"Invalid field type: expected a number\"}", 400)]
    [InlineData("{\"status\":\"error\",\"error\":\"Validation error: x\"}", 400)]
    [InlineData("{\"status\":\"error\",\"error\":\"the engine is on fire\"}", 502)]
    [InlineData("{\"status\":\"error\"}", 502)]
    [InlineData("{\"status\":\"error\",\"http_response\":{\"status_code\":500}}", 200)]
    public void AnswersOfAgents_HaveTheStatusThatSaysIt(string answer, int status) =>
        Assert.Equal(status, AgentCalls.Judge("get_serial_devices", JsonDocument.Parse(answer).RootElement, 1).Status);

    private static HubOperation Operation(string topic) => new(1, "agent", "device", topic, OperationState.Running, null, null, Begin, Begin);
}
