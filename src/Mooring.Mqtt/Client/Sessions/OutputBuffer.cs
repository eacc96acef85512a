using System.Buffers;

namespace Mooring.Mqtt.Client.Sessions;

/// <summary>Packets in a row, to be written at once. Grows to what one batch needs, and shrinks again when it is empty.</summary>
internal sealed class OutputBuffer : IBufferWriter<byte>, IDisposable
{
    private const int KeptBytes = 64 * 1024;
    private const int FirstBytes = 256;

    private byte[] _bytes = [];

    internal int Length { get; private set; }

    internal ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    public void Advance(int count) => Length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsSpan(Length);
    }

    internal void Clear()
    {
        Length = 0;
        if (_bytes.Length > 2 * KeptBytes) Dispose();
    }

    public void Dispose()
    {
        if (_bytes.Length > 0) ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
        Length = 0;
    }

    private void Reserve(int sizeHint)
    {
        var needed = Length + Math.Max(sizeHint, 1);
        if (needed <= _bytes.Length) return;
        var grown = ArrayPool<byte>.Shared.Rent(Math.Max(Math.Max(needed, FirstBytes), Length * 2));
        _bytes.AsSpan(0, Length).CopyTo(grown);
        if (_bytes.Length > 0) ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = grown;
    }
}
