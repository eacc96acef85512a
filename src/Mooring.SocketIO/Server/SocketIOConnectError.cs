using System.Text.Json;

namespace Mooring.SocketIO;

/// <summary>Why a client may not join a namespace; the client gets it as its connect error.</summary>
/// <param name="Message">In words.</param>
/// <param name="Details">Further details; left out when of kind Undefined.</param>
public sealed record SocketIOConnectError(string Message, JsonElement Details = default);
