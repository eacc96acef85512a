namespace Mooring.SocketIO.Codec;

/// <summary>What stands where in one Socket.IO packet.</summary>
/// <param name="Type">Its type.</param>
/// <param name="AttachmentCount">Binary messages that follow the packet and belong to it.</param>
/// <param name="Namespace">Where the namespace stands; empty for the root namespace.</param>
/// <param name="Id">Asks for an acknowledgement, or says which one this is.</param>
/// <param name="Payload">Where the JSON stands; empty when there is none.</param>
internal readonly record struct SocketIOPacket(
    SocketIOPacketType Type, int AttachmentCount, Slice Namespace, long? Id, Slice Payload)
{
    public bool IsEvent => Type is SocketIOPacketType.Event or SocketIOPacketType.BinaryEvent;

    public bool IsAck => Type is SocketIOPacketType.Ack or SocketIOPacketType.BinaryAck;
}
