using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Mooring.Edge.Protocol.Debug;

/// <summary>
/// The runtime's debug protocol: a function code, then numbers in network byte order; an answer repeats the code. Values of variables are
/// little-endian and not looked into. Pure.
/// </summary>
internal static class DebugPdu
{
    /// <summary>Variables that one request may ask for: the runtime's own limit.</summary>
    public const int IndexesMax = 256;

    /// <summary>Status of a request that was obeyed.</summary>
    public const byte Good = 0x7E;

    private const byte FunctionInfo = 0x41;
    private const byte FunctionSet = 0x42;
    private const byte FunctionGetList = 0x44;
    private const byte FunctionGetMd5 = 0x45;
    private const int ListHeader = 10;

    /// <summary>Asks how many variables there are.</summary>
    public static byte[] Info() => [FunctionInfo];

    /// <summary>Asks for the digest of the program; the two bytes tell the runtime our byte order.</summary>
    public static byte[] GetMd5() => [FunctionGetMd5, 0xDE, 0xAD, 0, 0];

    /// <summary>Forces a variable to a value, or lets it go.</summary>
    public static byte[] Set(ushort index, bool force, ReadOnlySpan<byte> value)
    {
        var pdu = new byte[6 + value.Length];
        pdu[0] = FunctionSet;
        BinaryPrimitives.WriteUInt16BigEndian(pdu.AsSpan(1), index);
        pdu[3] = force ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt16BigEndian(pdu.AsSpan(4), (ushort)value.Length);
        value.CopyTo(pdu.AsSpan(6));
        return pdu;
    }

    /// <summary>Asks for the values of variables, at most <see cref="IndexesMax"/>.</summary>
    public static byte[] GetList(IReadOnlyList<ushort> indexes)
    {
        ArgumentOutOfRangeException.ThrowIfZero(indexes.Count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(indexes.Count, IndexesMax);
        var pdu = new byte[3 + (2 * indexes.Count)];
        pdu[0] = FunctionGetList;
        BinaryPrimitives.WriteUInt16BigEndian(pdu.AsSpan(1), (ushort)indexes.Count);
        for (var i = 0; i < indexes.Count; i++) BinaryPrimitives.WriteUInt16BigEndian(pdu.AsSpan(3 + (2 * i)), indexes[i]);
        return pdu;
    }

    /// <summary>Reads how many variables there are.</summary>
    public static bool TryReadInfo(ReadOnlySpan<byte> pdu, out int count)
    {
        var isGood = pdu.Length >= 3 && pdu[0] == FunctionInfo;
        count = isGood ? BinaryPrimitives.ReadUInt16BigEndian(pdu[1..]) : 0;
        return isGood;
    }

    /// <summary>Reads whether a variable was set.</summary>
    public static bool TryReadSet(ReadOnlySpan<byte> pdu, out byte status)
    {
        var isGood = pdu.Length >= 2 && pdu[0] == FunctionSet;
        status = isGood ? pdu[1] : (byte)0;
        return isGood;
    }

    /// <summary>Reads the digest: ASCII, up to a NUL that some runtimes send along.</summary>
    public static bool TryReadMd5(ReadOnlySpan<byte> pdu, out byte status, out string md5)
    {
        (status, md5) = (0, "");
        if (pdu.Length < 2 || pdu[0] != FunctionGetMd5) return false;
        status = pdu[1];
        var text = pdu[2..];
        var end = text.IndexOf((byte)0);
        md5 = Encoding.ASCII.GetString(end < 0 ? text : text[..end]);
        return true;
    }

    /// <summary>Reads values.</summary>
    /// <param name="pdu">The answer.</param>
    /// <param name="status">Whether they are there.</param>
    /// <param name="tick">The runtime's cycle they are of.</param>
    /// <param name="values">The values, one after the other.</param>
    public static bool TryReadList(ReadOnlySpan<byte> pdu, out byte status, out uint tick, out ReadOnlySpan<byte> values)
    {
        (status, tick) = (0, 0);
        values = default;
        if (pdu.Length < 2 || pdu[0] != FunctionGetList) return false;
        status = pdu[1];
        if (status != Good) return true;
        if (pdu.Length < ListHeader) return false;
        tick = BinaryPrimitives.ReadUInt32BigEndian(pdu[4..]);
        var length = BinaryPrimitives.ReadUInt16BigEndian(pdu[8..]);
        if (pdu.Length < ListHeader + length) return false;
        values = pdu.Slice(ListHeader, length);
        return true;
    }

    /// <summary>What a status says.</summary>
    public static string NameOf(byte status) => status switch
    {
        Good => "good",
        0x81 => "index out of bounds",
        0x82 => "out of memory",
        _ => string.Create(CultureInfo.InvariantCulture, $"unknown status 0x{status:X2}"),
    };

    /// <summary>Bytes as text: upper case, with blanks between.</summary>
    public static string ToHex(ReadOnlySpan<byte> bytes) => string.Join(' ', Convert.ToHexString(bytes).Chunk(2).Select(pair => new string(pair)));

    /// <summary>Reads such text, in any case, with or without blanks.</summary>
    public static bool TryParseHex(string? text, out byte[] bytes)
    {
        bytes = [];
        if (text is null) return false;
        var digits = string.Concat(text.Where(c => c != ' '));
        if (digits.Length % 2 != 0 || !digits.All(char.IsAsciiHexDigit)) return false;
        bytes = Convert.FromHexString(digits);
        return true;
    }
}
