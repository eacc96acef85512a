namespace Mooring.SocketIO;

/// <summary>Why a connection, or its part in one namespace, ended.</summary>
public enum SocketIODisconnectReason
{
    /// <summary>The other end left.</summary>
    LeftByPeer,

    /// <summary>This end left.</summary>
    LeftHere,

    /// <summary>The connection broke.</summary>
    ConnectionLost,

    /// <summary>No ping, or no pong, came in time.</summary>
    PingTimeout,

    /// <summary>The peer broke the protocol or went over a limit.</summary>
    ProtocolError,

    /// <summary>The peer took so little that its queue ran full.</summary>
    SlowPeer,

    /// <summary>The peer opened a connection and joined no namespace in time.</summary>
    NeverJoined,

    /// <summary>This program is stopping.</summary>
    Stopping,
}
