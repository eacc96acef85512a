namespace Mooring.Mqtt.Broker.Persistence;

/// <summary>
/// Reads the records of one file. A damaged place is skipped up to the next sound record; bytes at the end that make no record are a
/// write that the end of the process cut off.
/// </summary>
internal sealed class SegmentReader(byte[] content, uint salt)
{
    private int _position = Segment.HeaderBytes;

    /// <summary>Bytes in front of a sound record that make no record themselves.</summary>
    internal int DamagedBytes { get; private set; }

    /// <summary>Bytes after the last record.</summary>
    internal int TornBytes { get; private set; }

    internal bool TryRead(out RecordType type, out ReadOnlySpan<byte> body)
    {
        var start = _position;
        while (_position < content.Length)
        {
            var rest = content.AsSpan(_position);
            var length = RecordFrame.Check(rest, salt);
            if (length > 0)
            {
                DamagedBytes += _position - start;
                type = (RecordType)rest[RecordFrame.UncheckedBytes];
                body = rest[RecordFrame.HeaderBytes..length];
                _position += length;
                return true;
            }

            var next = rest[1..].IndexOf(RecordFrame.Mark);
            _position = next < 0 ? content.Length : _position + 1 + next;
        }

        TornBytes = content.Length - start;
        _position = content.Length;
        type = default;
        body = default;
        return false;
    }
}
