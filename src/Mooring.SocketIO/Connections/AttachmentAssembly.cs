using Mooring.SocketIO.Codec;

namespace Mooring.SocketIO.Connections;

/// <summary>A packet that waits for its attachments. The only thing that one packet leaves behind for the next.</summary>
internal sealed class AttachmentAssembly(int bytesMax) : IDisposable
{
    private PooledFrame _frame;
    private SocketIOPacket _packet;
    private ReadOnlyMemory<byte>[]? _attachments;
    private int _count;
    private long _bytes;

    public bool IsWaiting => _attachments is not null;

    /// <summary>Keeps a packet until its attachments have come.</summary>
    public void Begin(PooledFrame frame, in SocketIOPacket packet)
    {
        (_frame, _packet, _attachments, _count, _bytes) = (frame, packet, new ReadOnlyMemory<byte>[packet.AttachmentCount], 0, frame.Length);
    }

    /// <summary>Adds the next attachment.</summary>
    /// <returns>True when it was the last.</returns>
    public bool Add(ReadOnlySpan<byte> bytes)
    {
        if (_attachments is null)
            throw new SocketIOProtocolException(SocketIOProtocolError.UnexpectedPacket, "a binary message that no packet announced");
        _bytes += bytes.Length;
        if (_bytes > bytesMax)
            throw new SocketIOProtocolException(SocketIOProtocolError.OverLimit, $"a packet with attachments of more than {bytesMax} bytes");
        _attachments[_count++] = bytes.ToArray();
        return _count == _attachments.Length;
    }

    public PooledFrame Take(out SocketIOPacket packet, out IReadOnlyList<ReadOnlyMemory<byte>> attachments)
    {
        (packet, attachments, _attachments) = (_packet, _attachments!, null);
        return _frame.Move();
    }

    public void Dispose()
    {
        _attachments = null;
        _frame.Dispose();
    }
}
