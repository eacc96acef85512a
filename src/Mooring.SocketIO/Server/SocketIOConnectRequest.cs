using System.Text.Json;

namespace Mooring.SocketIO;

/// <summary>A client that wants to join a namespace.</summary>
public sealed class SocketIOConnectRequest
{
    internal SocketIOConnectRequest(SocketIOHandshake handshake, string nsp, JsonElement auth) =>
        (Handshake, Namespace, Auth) = (handshake, nsp, auth);

    /// <summary>How the client opened its connection.</summary>
    public SocketIOHandshake Handshake { get; }

    /// <summary>The namespace it wants to join.</summary>
    public string Namespace { get; }

    /// <summary>What the client says to be let in; of kind Undefined when it says nothing.</summary>
    public JsonElement Auth { get; }
}
