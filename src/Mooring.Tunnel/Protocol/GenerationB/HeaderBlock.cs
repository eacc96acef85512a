using System.Buffers;
using Mooring.Tunnel.Protocol.MessagePack;

namespace Mooring.Tunnel.Protocol.GenerationB;

/// <summary>
/// Collects header fields in the form that StreamOpen and a response head carry: a list of pairs, in order, duplicates kept. Meant to be
/// kept and used again; it grows to the largest block it has seen.
/// </summary>
internal sealed class HeaderBlock : IBufferWriter<byte>
{
    /// <summary>Room for the longest list header (0xDC and a 16-bit count), so that the count may be known last.</summary>
    private const int ReservedBytes = 3;

    private byte[] _buffer = new byte[1024];
    private int _length = ReservedBytes;

    /// <summary>Fields that were added.</summary>
    public int Count { get; private set; }

    /// <summary>The encoded list; valid until the next change.</summary>
    public ReadOnlySpan<byte> Encoded
    {
        get
        {
            if (Count < 16)
            {
                _buffer[ReservedBytes - 1] = (byte)(MessagePackFormat.FixArray | Count);
                return _buffer.AsSpan(ReservedBytes - 1, _length - ReservedBytes + 1);
            }
            _buffer[0] = MessagePackFormat.Array16;
            _buffer[1] = (byte)(Count >> 8);
            _buffer[2] = (byte)Count;
            return _buffer.AsSpan(0, _length);
        }
    }

    public void Clear()
    {
        _length = ReservedBytes;
        Count = 0;
    }

    public void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var writer = Begin();
        writer.WriteText(name);
        writer.WriteText(value);
    }

    public void Add(string name, string value)
    {
        var writer = Begin();
        writer.WriteText(name);
        writer.WriteText(value);
    }

    public void Add(ReadOnlySpan<byte> name, string value)
    {
        var writer = Begin();
        writer.WriteText(name);
        writer.WriteText(value);
    }

    void IBufferWriter<byte>.Advance(int count) => _length += count;

    Memory<byte> IBufferWriter<byte>.GetMemory(int sizeHint)
    {
        Reserve(sizeHint);
        return _buffer.AsMemory(_length);
    }

    Span<byte> IBufferWriter<byte>.GetSpan(int sizeHint)
    {
        Reserve(sizeHint);
        return _buffer.AsSpan(_length);
    }

    private MessagePackWriter Begin()
    {
        if (Count == ushort.MaxValue) throw new TunnelProtocolException(TunnelProtocolError.TooLarge, "more than 65535 header fields");
        Count++;
        var writer = new MessagePackWriter(this);
        writer.WriteArrayHeader(2);
        return writer;
    }

    private void Reserve(int sizeHint)
    {
        var needed = _length + Math.Max(sizeHint, 1);
        if (needed > _buffer.Length) Array.Resize(ref _buffer, Math.Max(needed, _buffer.Length * 2));
    }
}
