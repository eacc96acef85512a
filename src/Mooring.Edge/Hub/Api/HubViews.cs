using System.Text.Json;
using System.Text.Json.Serialization;
using Mooring.Edge.Hub.Agents;

namespace Mooring.Edge.Hub.Api;

/// <summary>An agent.</summary>
internal sealed record AgentView(
    string Id, string Name, Presence Presence, bool Claimed, bool Revoked, DateTimeOffset CertificateNotAfter, string Fingerprint,
    DateTimeOffset CreatedAt, DateTimeOffset? ConnectedAt, DateTimeOffset? LastSeenAt, string? Address, string? Transport, JsonElement? LastHeartbeat);

/// <summary>What may be changed on an agent.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record AgentChange(string? Name);

/// <summary>An agent to be enrolled.</summary>
/// <param name="Id">Its id; one is made when there is none.</param>
/// <param name="Name">What people call it.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record EnrolRequest(string? Id, string? Name);

/// <summary>What an agent needs to connect. The key is told here and nowhere else.</summary>
internal sealed record EnrolAnswer(AgentView Agent, string Certificate, string Key, string Authority);

/// <summary>A device that was created through this hub.</summary>
internal sealed record DeviceLine(string DeviceId, DateTimeOffset CreatedAt);

/// <summary>A heartbeat of the past.</summary>
internal sealed record BeatLine(DateTimeOffset At, JsonElement Beat);

/// <summary>An id for a machine that asks for its certificate itself.</summary>
internal sealed record PendingIdView(string Id, DateTimeOffset ExpiresAt, int ExpiresIn);

/// <summary>A certificate for a machine that asked for it.</summary>
internal sealed record EnrolledView(string Certificate, string Message, string Id);

/// <summary>The form that the agents' installer knows.</summary>
internal sealed record InstallerAnswer(int StatusCode, string? Message, JsonElement? Data);

/// <summary>A call as the first hubs took it.</summary>
internal sealed record EarlierCommand([property: JsonPropertyName("agent_id")] string? AgentId, string? Topic, JsonElement? Command);

/// <summary>The answer to it.</summary>
internal sealed record EarlierAnswer(JsonElement Response);

/// <summary>A certificate as the first hubs took it.</summary>
internal sealed record EarlierCertificate([property: JsonPropertyName("agent_id")] string? AgentId, string? Certificate);

/// <summary>A question for the last heartbeat as the first hubs took it.</summary>
internal sealed record EarlierQuestion([property: JsonPropertyName("agent_id")] string? AgentId);
