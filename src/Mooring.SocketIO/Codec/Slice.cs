namespace Mooring.SocketIO.Codec;

/// <summary>A stretch of a frame. A position instead of a span, so that it can be kept beside the frame's buffer.</summary>
internal readonly record struct Slice(int Start, int Length)
{
    public bool IsEmpty => Length == 0;

    public int End => Start + Length;

    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> frame) => frame.Slice(Start, Length);

    public Slice After(int offset) => this with { Start = Start + offset };
}
