using System.Buffers;

namespace Mooring.Tunnel.Links;

/// <summary>A growing run of bytes in a rented array.</summary>
internal sealed class PooledBytes(int keptBytes) : IBufferWriter<byte>, IDisposable
{
    private byte[] _array = [];

    public int Length { get; private set; }

    public Memory<byte> Memory => _array.AsMemory(0, Length);

    public Span<byte> Span => _array.AsSpan(0, Length);

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _array.AsSpan(Length);
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _array.AsMemory(Length);
    }

    public void Advance(int count) => Length += count;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        bytes.CopyTo(GetSpan(bytes.Length));
        Length += bytes.Length;
    }

    /// <summary>Empties it; an array that grew beyond what is worth keeping goes back.</summary>
    public void Clear()
    {
        Length = 0;
        if (_array.Length > keptBytes) Dispose();
    }

    public void Dispose()
    {
        if (_array.Length > 0) ArrayPool<byte>.Shared.Return(_array);
        _array = [];
        Length = 0;
    }

    private void Reserve(int count)
    {
        if (_array.Length - Length >= count) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(Length + count, Math.Min(_array.Length * 2, Length + (1 << 20))));
        Span.CopyTo(larger);
        if (_array.Length > 0) ArrayPool<byte>.Shared.Return(_array);
        _array = larger;
    }
}
