using System.Buffers;

namespace Mooring.SocketIO.Connections;

/// <summary>Bytes in a pooled array. Whoever holds it disposes it; handing it on is <see cref="Move"/>.</summary>
internal struct PooledFrame(byte[] array, int length) : IDisposable
{
    private byte[]? _array = array;

    public int Length { get; } = length;

    public readonly ReadOnlySpan<byte> Span => _array.AsSpan(0, Length);

    public readonly byte[] Array => _array ?? throw new ObjectDisposedException(nameof(PooledFrame));

    public static PooledFrame CopyOf(ReadOnlySpan<byte> bytes)
    {
        var array = ArrayPool<byte>.Shared.Rent(bytes.Length);
        bytes.CopyTo(array);
        return new PooledFrame(array, bytes.Length);
    }

    /// <summary>Gives the bytes away: from now on the result is the one to dispose.</summary>
    public PooledFrame Move()
    {
        var moved = this;
        _array = null;
        return moved;
    }

    public void Dispose()
    {
        if (_array is null) return;
        ArrayPool<byte>.Shared.Return(_array);
        _array = null;
    }
}
