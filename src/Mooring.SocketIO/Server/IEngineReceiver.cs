using Mooring.SocketIO.Connections;

namespace Mooring.SocketIO.Server;

/// <summary>What stands on an Engine.IO session: it gets the messages, one after another, and disposes of them.</summary>
internal interface IEngineReceiver
{
    /// <summary>A text message, with the Engine.IO type in front.</summary>
    ValueTask MessageAsync(PooledFrame frame);

    ValueTask BinaryAsync(PooledFrame frame);

    /// <summary>Whether the peer has done what it must do soon after opening.</summary>
    bool HasJoined { get; }

    void Closed(SocketIODisconnectReason reason);
}
