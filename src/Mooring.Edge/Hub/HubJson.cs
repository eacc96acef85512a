using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Mvc;
using Mooring.Edge.Hub.Api;
using Mooring.Edge.Hub.Desired;
using Mooring.Edge.Hub.Operations;
using Mooring.Edge.Hub.Store;

namespace Mooring.Edge.Hub;

/// <summary>How the hub writes and reads JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(AgentView))]
[JsonSerializable(typeof(IReadOnlyList<AgentView>))]
[JsonSerializable(typeof(AgentChange))]
[JsonSerializable(typeof(EnrolRequest))]
[JsonSerializable(typeof(EnrolAnswer))]
[JsonSerializable(typeof(IReadOnlyList<DeviceLine>))]
[JsonSerializable(typeof(IReadOnlyList<BeatLine>))]
[JsonSerializable(typeof(IReadOnlyList<AuditEntry>))]
[JsonSerializable(typeof(IReadOnlyList<DeviceDrift>))]
[JsonSerializable(typeof(HubEvent))]
[JsonSerializable(typeof(HubOperation))]
[JsonSerializable(typeof(IReadOnlyList<HubOperation>))]
[JsonSerializable(typeof(PendingIdView))]
[JsonSerializable(typeof(EnrolledView))]
[JsonSerializable(typeof(InstallerAnswer))]
[JsonSerializable(typeof(EarlierCommand))]
[JsonSerializable(typeof(EarlierAnswer))]
[JsonSerializable(typeof(EarlierCertificate))]
[JsonSerializable(typeof(EarlierQuestion))]
[JsonSerializable(typeof(ProblemDetails))]
internal sealed partial class HubJson : JsonSerializerContext
{
    public static JsonElement ToElement<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToElement(value, type);
}
