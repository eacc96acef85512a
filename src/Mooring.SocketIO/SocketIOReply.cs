using Mooring.SocketIO.Codec;

namespace Mooring.SocketIO;

/// <summary>The acknowledgement of a call, with what the peer answered. It may be kept.</summary>
public sealed class SocketIOReply : SocketIOValues
{
    private readonly byte[] _frame;

    internal SocketIOReply(byte[] frame, Slice[] slices, int count, IReadOnlyList<ReadOnlyMemory<byte>> attachments)
        : base(slices, 0, count, attachments) => _frame = frame;

    private protected override ReadOnlySpan<byte> Frame => _frame;
}
