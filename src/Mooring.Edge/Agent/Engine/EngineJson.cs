using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Mooring.Edge.Agent.Engine;

/// <summary>Most of the engine's API spells its members as here; statistics, events and progress are spelt otherwise: <see cref="EngineStreamJson"/>.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ContainerCreation))]
[JsonSerializable(typeof(ContainerCreated))]
[JsonSerializable(typeof(ContainerDetails))]
[JsonSerializable(typeof(List<ContainerSummary>))]
[JsonSerializable(typeof(RestartPolicyUpdate))]
[JsonSerializable(typeof(LimitsUpdate))]
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(NetworkCreation))]
[JsonSerializable(typeof(NetworkCreated))]
[JsonSerializable(typeof(NetworkDetails))]
[JsonSerializable(typeof(List<NetworkDetails>))]
[JsonSerializable(typeof(NetworkConnection))]
[JsonSerializable(typeof(NetworkDisconnection))]
[JsonSerializable(typeof(ExecCreation))]
[JsonSerializable(typeof(ExecCreated))]
[JsonSerializable(typeof(ExecStart))]
[JsonSerializable(typeof(ExecDetails))]
[JsonSerializable(typeof(ImageDetails))]
[JsonSerializable(typeof(EngineIdentity))]
internal sealed partial class EngineJson : JsonSerializerContext;

/// <summary>Events and progress (mixed case), errors (lower case): read without regard to case.</summary>
[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true)]
[JsonSerializable(typeof(EngineEvent))]
[JsonSerializable(typeof(PullProgress))]
[JsonSerializable(typeof(EngineError))]
internal sealed partial class EngineStreamJson : JsonSerializerContext;

/// <summary>Statistics are spelt <c>cpu_stats</c>, <c>system_cpu_usage</c> and so on.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ContainerStats))]
internal sealed partial class EngineStatsJson : JsonSerializerContext;
