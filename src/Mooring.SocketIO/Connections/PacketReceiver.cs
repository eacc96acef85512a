using Mooring.SocketIO.Codec;

namespace Mooring.SocketIO.Connections;

/// <summary>Makes packets out of the messages of one connection: reads the head and waits for attachments.</summary>
internal sealed class PacketReceiver(int bytesMax, IPacketSink sink) : IDisposable
{
    private readonly AttachmentAssembly _assembly = new(bytesMax);

    /// <summary>A text message, with the Engine.IO type in front.</summary>
    public ValueTask MessageAsync(PooledFrame frame)
    {
        SocketIOPacket packet;
        try
        {
            if (_assembly.IsWaiting)
                throw new SocketIOProtocolException(SocketIOProtocolError.BadAttachments, "a packet came where an attachment was announced");
            packet = Read(frame.Span);
        }
        catch
        {
            frame.Dispose();
            throw;
        }
        if (packet.AttachmentCount == 0) return sink.PacketAsync(frame, packet, []);
        _assembly.Begin(frame, packet);
        return ValueTask.CompletedTask;
    }

    public ValueTask BinaryAsync(PooledFrame frame)
    {
        using (frame)
        {
            if (!_assembly.Add(frame.Span)) return ValueTask.CompletedTask;
        }
        return sink.PacketAsync(_assembly.Take(out var packet, out var attachments), packet, attachments);
    }

    public void Dispose() => _assembly.Dispose();

    private static SocketIOPacket Read(ReadOnlySpan<byte> frame)
    {
        // The frame begins with Engine.IO's own type; positions are kept from its beginning.
        var packet = SocketIOCodec.Read(frame[1..]);
        return packet with { Namespace = packet.Namespace.After(1), Payload = packet.Payload.After(1) };
    }
}
