using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Agent.Topics;

/// <summary>The shapes that answers have in common.</summary>
internal static class Answers
{
    /// <summary>It was done; fields of the topic follow.</summary>
    public static JsonObject Success() => new() { ["status"] = "success" };

    /// <summary>It was not done.</summary>
    /// <param name="error">For people.</param>
    /// <param name="code">For programs.</param>
    public static JsonObject Error(string error, string? code = null)
    {
        var answer = new JsonObject { ["status"] = "error", ["error"] = error };
        if (code is not null) answer["error_code"] = code;
        return answer;
    }

    /// <summary>The message is not what the topic demands.</summary>
    public static JsonObject Invalid(ContractError error)
    {
        var answer = Error(error.Message, error.Code);
        if (error.Field.Length > 0) answer["field"] = error.Field;
        return answer;
    }

    /// <summary>Something else is being done with the device.</summary>
    public static JsonObject Busy(string device, Operation? running) => Error(
        running is null ? $"{device} is busy" : $"{device} already has a {running.Word} operation in progress", "operation_in_progress");

    /// <summary>There is no such device.</summary>
    public static JsonObject UnknownDevice(string device) => Error($"Device not found: {device}", "not_found");
}
