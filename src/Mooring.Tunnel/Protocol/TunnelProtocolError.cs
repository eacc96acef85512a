namespace Mooring.Tunnel.Protocol;

/// <summary>What is wrong with bytes from the other end.</summary>
internal enum TunnelProtocolError
{
    /// <summary>The message ends inside a value.</summary>
    Truncated,

    /// <summary>A byte that begins no MessagePack value (0xC1), or a length prefix that does not fit the message.</summary>
    Malformed,

    /// <summary>A field has a value of another type than its name says.</summary>
    WrongType,

    /// <summary>A number does not fit, or lies outside its range.</summary>
    OutOfRange,

    /// <summary>Maps and arrays lie deeper in one another than any message needs.</summary>
    TooDeep,

    /// <summary>Bytes follow the message.</summary>
    TrailingBytes,

    /// <summary>The map has no Type.</summary>
    MissingType,

    /// <summary>Type names no message of this generation.</summary>
    UnknownType,

    /// <summary>A WebSocket frame breaks RFC 6455.</summary>
    WebSocket,

    /// <summary>A frame or a message is larger than its limit.</summary>
    TooLarge,
}
