namespace Mooring.SocketIO.Codec;

/// <summary>First character of a Socket.IO packet, less '0'.</summary>
internal enum SocketIOPacketType : byte
{
    Connect,
    Disconnect,
    Event,
    Ack,
    ConnectError,
    BinaryEvent,
    BinaryAck,
}
