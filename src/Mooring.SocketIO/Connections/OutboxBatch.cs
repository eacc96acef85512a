namespace Mooring.SocketIO.Connections;

/// <summary>Packets on their way out, in one buffer.</summary>
internal sealed class OutboxBatch : IDisposable
{
    private readonly ByteBuffer _bytes = new();
    private readonly List<(int End, bool IsBinary)> _packets = [];

    public int Count => _packets.Count;

    public int Bytes => _bytes.Length;

    public void Add(ReadOnlySpan<byte> packet, bool isBinary)
    {
        packet.CopyTo(_bytes.GetSpan(packet.Length));
        _bytes.Advance(packet.Length);
        _packets.Add((_bytes.Length, isBinary));
    }

    public ReadOnlyMemory<byte> this[int index]
    {
        get
        {
            var start = index == 0 ? 0 : _packets[index - 1].End;
            return _bytes.Memory[start.._packets[index].End];
        }
    }

    public bool IsBinary(int index) => _packets[index].IsBinary;

    public void Clear()
    {
        _bytes.Clear();
        _packets.Clear();
    }

    /// <summary>Gives all memory back; the batch can be used again.</summary>
    public void Dispose()
    {
        _bytes.Dispose();
        _packets.Clear();
        _packets.Capacity = 0;
    }
}
