using Mooring.SocketIO.Codec;

namespace Mooring.SocketIO.Connections;

/// <summary>Takes whole Socket.IO packets with their attachments, one after another.</summary>
internal interface IPacketSink
{
    /// <summary>One packet. The frame is this method's to dispose.</summary>
    ValueTask PacketAsync(PooledFrame frame, in SocketIOPacket packet, IReadOnlyList<ReadOnlyMemory<byte>> attachments);
}
