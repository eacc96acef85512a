using System.Text.Json.Serialization;

namespace Mooring.Edge.Hub.Operations;

/// <summary>Where an operation is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<OperationState>))]
internal enum OperationState
{
    /// <summary>The agent works on it.</summary>
    [JsonStringEnumMemberName("running")]
    Running,

    /// <summary>It is done.</summary>
    [JsonStringEnumMemberName("succeeded")]
    Succeeded,

    /// <summary>It was not done.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,
}
