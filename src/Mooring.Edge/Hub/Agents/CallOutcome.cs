using System.Text.Json;

namespace Mooring.Edge.Hub.Agents;

/// <summary>What became of a call to an agent.</summary>
/// <param name="Status">The HTTP status that says it.</param>
/// <param name="Error">In words; null when it went well.</param>
/// <param name="Answer">What the agent said; of kind Undefined when it said nothing.</param>
/// <param name="CorrelationId">Number of the call.</param>
internal sealed record CallOutcome(int Status, string? Error, JsonElement Answer, long CorrelationId)
{
    public bool IsGood => Error is null;

    /// <summary>A text field of the answer.</summary>
    public string? Text(string field) =>
        Answer.ValueKind == JsonValueKind.Object && Answer.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
