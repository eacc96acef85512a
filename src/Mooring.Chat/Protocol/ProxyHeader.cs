using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Mooring.Chat.Protocol;

/// <summary>What the first bytes of a connection say.</summary>
internal enum ProxyHeaderOutcome
{
    /// <summary>More must be read first.</summary>
    Incomplete,

    /// <summary>The header is there.</summary>
    Whole,

    /// <summary>This is no header.</summary>
    Malformed,
}

/// <summary>
/// The PROXY protocol, versions 1 and 2: what a load balancer sends ahead of a connection's own bytes, so that the client's address is
/// not lost.
/// <code>
/// 1: PROXY TCP4|TCP6 source destination port port CR LF, or PROXY UNKNOWN ... CR LF
/// 2: signature (12), version and command (1), family (1), length (2), source, destination, ports, extensions
/// </code>
/// </summary>
internal static class ProxyHeader
{
    /// <summary>Bytes of the longest header of version 2 that is taken: extensions may carry names and certificates' subjects.</summary>
    internal const int BytesMax = 4096;

    private const int TextBytesMax = 107;
    private const int BinaryHeadBytes = 16;
    private const byte Version2 = 0x20;
    private const byte CommandLocal = 0;
    private const byte CommandProxy = 1;
    private const byte Tcp4 = 0x11;
    private const byte Tcp6 = 0x21;
    private const int AddressPair4 = 12;
    private const int AddressPair6 = 36;

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    private static ReadOnlySpan<byte> TextStart => "PROXY "u8;

    /// <summary>Reads the header at the start of <paramref name="bytes"/>.</summary>
    /// <param name="bytes">What has come so far.</param>
    /// <param name="length">Bytes of the header.</param>
    /// <param name="source">The client; null when the balancer speaks for itself or does not know.</param>
    internal static ProxyHeaderOutcome Read(ReadOnlySpan<byte> bytes, out int length, out IPAddress? source)
    {
        length = 0;
        source = null;
        if (StartsLike(bytes, Signature)) return bytes.Length < BinaryHeadBytes ? ProxyHeaderOutcome.Incomplete : ReadBinary(bytes, out length, out source);
        return StartsLike(bytes, TextStart) ? ReadText(bytes, out length, out source) : ProxyHeaderOutcome.Malformed;
    }

    private static bool StartsLike(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> start)
    {
        var common = Math.Min(bytes.Length, start.Length);
        return bytes[..common].SequenceEqual(start[..common]);
    }

    private static ProxyHeaderOutcome ReadText(ReadOnlySpan<byte> bytes, out int length, out IPAddress? source)
    {
        source = null;
        length = bytes[..Math.Min(bytes.Length, TextBytesMax)].IndexOf("\r\n"u8) + 2;
        if (length < 2) return bytes.Length < TextBytesMax ? ProxyHeaderOutcome.Incomplete : ProxyHeaderOutcome.Malformed;
        var words = Encoding.Latin1.GetString(bytes[TextStart.Length..(length - 2)]).Split(' ');
        if (words[0] == "UNKNOWN") return ProxyHeaderOutcome.Whole;
        var addressBytes = words[0] switch { "TCP4" => 4, "TCP6" => 16, _ => 0 };
        return words.Length == 5 && IPAddress.TryParse(words[1], out source) && source.GetAddressBytes().Length == addressBytes
            && IPAddress.TryParse(words[2], out _) && ushort.TryParse(words[3], out _) && ushort.TryParse(words[4], out _)
            ? ProxyHeaderOutcome.Whole
            : ProxyHeaderOutcome.Malformed;
    }

    private static ProxyHeaderOutcome ReadBinary(ReadOnlySpan<byte> bytes, out int length, out IPAddress? source)
    {
        source = null;
        var (command, family) = (bytes[12] ^ Version2, bytes[13]);
        var rest = BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]);
        length = BinaryHeadBytes + rest;
        if (command is not (CommandLocal or CommandProxy) || length > BytesMax) return ProxyHeaderOutcome.Malformed;
        if (bytes.Length < length) return ProxyHeaderOutcome.Incomplete;
        if (command == CommandLocal) return ProxyHeaderOutcome.Whole;
        var addresses = bytes[BinaryHeadBytes..length];
        switch (family)
        {
            case Tcp4 when rest >= AddressPair4:
                source = new IPAddress(addresses[..4]);
                return ProxyHeaderOutcome.Whole;
            case Tcp6 when rest >= AddressPair6:
                source = new IPAddress(addresses[..16]);
                return ProxyHeaderOutcome.Whole;
            case Tcp4 or Tcp6:
                return ProxyHeaderOutcome.Malformed;
            default:
                return ProxyHeaderOutcome.Whole;
        }
    }
}
