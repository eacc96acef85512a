namespace Mooring.Chat.Rooms;

/// <summary>Why a session ends; the first reason is the one that is told.</summary>
internal enum CloseReason
{
    Quit,
    Closed,
    Shutdown,
    SlowConsumer,
    Timeout,
    Protocol,
    Full,
    Replaced,
    Banned,

    /// <summary>The other end is gone; nobody is left to be told.</summary>
    Gone,
}

internal static class CloseReasons
{
    /// <summary>The word on the wire.</summary>
    internal static string Word(this CloseReason reason) => reason switch
    {
        CloseReason.SlowConsumer => "slow-consumer",
        _ => reason.ToString().ToLowerInvariant(),
    };

    /// <summary>Close code of a WebSocket: those of RFC 6455, and from 4000 on those of this server.</summary>
    internal static int WebSocketCode(this CloseReason reason) => reason switch
    {
        CloseReason.Quit or CloseReason.Closed => 1000,
        CloseReason.Shutdown => 1001,
        CloseReason.Protocol or CloseReason.Banned => 1008,
        CloseReason.Full => 1013,
        CloseReason.Replaced => 4000,
        CloseReason.SlowConsumer => 4001,
        CloseReason.Timeout => 4002,
        _ => 1011,
    };
}
