using System.Buffers.Binary;

namespace Mooring.Mqtt.Broker.Persistence;

/// <summary>
/// How a record stands in a file:
/// <code>
/// 4 bytes  mark, by which reading finds its way again after a damaged place
/// 4 bytes  length of what follows the checksum
/// 4 bytes  CRC-32C of it, seeded with the file's salt, so that no payload can pass for a record
/// 1 byte   type
/// ...      fields
/// </code>
/// </summary>
internal static class RecordFrame
{
    internal const int HeaderBytes = 13;
    internal const int UncheckedBytes = 12;

    /// <summary>Longer than any record: a packet of the largest size that MQTT knows, and what goes with it.</summary>
    internal const int LengthMaximum = 268_435_455 + 65_536;

    internal static ReadOnlySpan<byte> Mark => "\u00B6MQ"u8;

    internal static void Seal(Span<byte> record, RecordType type, uint salt)
    {
        Mark.CopyTo(record);
        record[UncheckedBytes] = (byte)type;
        BinaryPrimitives.WriteInt32LittleEndian(record[4..], record.Length - UncheckedBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(record[8..], Crc32C.Of(salt, record[UncheckedBytes..]));
    }

    /// <summary>Length of the whole record at the beginning of <paramref name="bytes"/>, or 0 when there is none that is sound.</summary>
    internal static int Check(ReadOnlySpan<byte> bytes, uint salt)
    {
        if (bytes.Length < HeaderBytes || !bytes.StartsWith(Mark))
        {
            return 0;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        if (length is < 1 or > LengthMaximum || length > bytes.Length - UncheckedBytes)
        {
            return 0;
        }

        var expected = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        return Crc32C.Of(salt, bytes.Slice(UncheckedBytes, length)) == expected ? UncheckedBytes + length : 0;
    }
}
