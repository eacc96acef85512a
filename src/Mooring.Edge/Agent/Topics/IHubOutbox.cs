using System.Text.Json.Nodes;

namespace Mooring.Edge.Agent.Topics;

/// <summary>Events for the hub that answer nothing.</summary>
internal interface IHubOutbox
{
    /// <summary>Sends an event. Without a hub, or when too many wait already, it is dropped.</summary>
    /// <param name="name">Name of the event.</param>
    /// <param name="message">Its only argument.</param>
    void Emit(string name, JsonObject message);
}
