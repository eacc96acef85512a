namespace Mooring.SocketIO.Codec;

/// <summary>First character of an Engine.IO packet, less '0'.</summary>
internal enum EngineIOPacketType : byte
{
    Open,
    Close,
    Ping,
    Pong,
    Message,
    Upgrade,
    Noop,
}
