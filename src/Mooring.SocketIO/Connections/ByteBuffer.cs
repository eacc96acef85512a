using System.Buffers;

namespace Mooring.SocketIO.Connections;

/// <summary>A growing pooled buffer that is filled, read and emptied again and again.</summary>
internal sealed class ByteBuffer : IBufferWriter<byte>, IDisposable
{
    private const int FirstBytes = 512;

    /// <summary>A larger array is not kept by an empty buffer: one big message must not cost memory for ever.</summary>
    private const int KeptBytesMax = 64 * 1024;

    private byte[] _array = [];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Span => _array.AsSpan(0, Length);

    public ReadOnlyMemory<byte> Memory => _array.AsMemory(0, Length);

    public void Advance(int count) => Length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _array.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _array.AsSpan(Length);
    }

    /// <summary>Gives the array away and starts anew.</summary>
    public PooledFrame MoveToFrame()
    {
        var frame = new PooledFrame(_array, Length);
        (_array, Length) = ([], 0);
        return frame;
    }

    /// <summary>Forgets the first bytes; what follows moves to the front.</summary>
    public void RemoveFirst(int count)
    {
        _array.AsSpan(count, Length - count).CopyTo(_array);
        Length -= count;
    }

    public void Clear()
    {
        Length = 0;
        if (_array.Length > KeptBytesMax) Dispose();
    }

    /// <summary>Returns the array; the buffer can be used again.</summary>
    public void Dispose()
    {
        Length = 0;
        if (_array.Length > 0) ArrayPool<byte>.Shared.Return(_array);
        _array = [];
    }

    private void Reserve(int sizeHint)
    {
        var needed = checked(Length + Math.Max(sizeHint, 1));
        if (needed <= _array.Length) return;
        var size = Math.Max(FirstBytes, Math.Max(needed, (int)Math.Min(_array.Length * 2L, Array.MaxLength)));
        var larger = ArrayPool<byte>.Shared.Rent(size);
        Span.CopyTo(larger);
        if (_array.Length > 0) ArrayPool<byte>.Shared.Return(_array);
        _array = larger;
    }
}
