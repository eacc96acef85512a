using System.Text.Json.Serialization;

namespace Mooring.Edge.Hub.Agents;

/// <summary>Whether an agent can be reached.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Presence>))]
internal enum Presence
{
    /// <summary>Not connected.</summary>
    [JsonStringEnumMemberName("offline")]
    Offline,

    /// <summary>Connected, but its heartbeats stay away.</summary>
    [JsonStringEnumMemberName("stale")]
    Stale,

    /// <summary>Connected and beating.</summary>
    [JsonStringEnumMemberName("online")]
    Online,
}
