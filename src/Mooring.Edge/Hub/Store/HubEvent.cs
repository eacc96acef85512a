using System.Text.Json;

namespace Mooring.Edge.Hub.Store;

/// <summary>Something that happened to an agent.</summary>
/// <param name="Id">Grows from event to event.</param>
/// <param name="At">When.</param>
/// <param name="Kind">What, such as <c>agent_online</c>.</param>
/// <param name="Agent">To whom.</param>
/// <param name="Details">More about it: an object.</param>
internal sealed record HubEvent(long Id, DateTimeOffset At, string Kind, string Agent, JsonElement Details);
