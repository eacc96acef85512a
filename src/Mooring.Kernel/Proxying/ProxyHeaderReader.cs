using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Numerics;
using System.Text;

namespace Mooring.Kernel.Proxying;

/// <summary>
/// The first bytes of a connection that comes through a proxy: the PROXY protocol of HAProxy, versions 1 (a line of text) and 2 (binary).
/// </summary>
public static class ProxyHeaderReader
{
    /// <summary>The longest header that is read: addresses, and extensions such as a TLS certificate's name.</summary>
    public const int BytesMax = 4096;

    /// <summary>The longest line of version 1, its end included: "worst case" of the protocol's section 2.1.</summary>
    public const int LineBytesMax = 107;

    private const int FixedBytes = 16;
    private const int Ipv4Bytes = 12;
    private const int Ipv6Bytes = 36;
    private const byte ChecksumType = 0x03;

    internal static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    internal static ReadOnlySpan<byte> LineStart => "PROXY "u8;

    /// <summary>Reads a header; false when more bytes are needed.</summary>
    /// <param name="bytes">What was received so far, from the first byte on.</param>
    /// <param name="header">What it says.</param>
    /// <param name="length">Its bytes.</param>
    /// <returns>Whether the header is whole.</returns>
    /// <exception cref="ProxyHeaderException">The bytes begin no header, or a broken one.</exception>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out ProxyHeader header, out int length)
    {
        (header, length) = (default, 0);
        if (IsStart(bytes, Signature)) return bytes.Length >= FixedBytes && TryReadBinary(bytes, out header, out length);
        if (!IsStart(bytes, LineStart)) throw Broken("the connection does not begin with a PROXY header");
        var end = bytes.IndexOf("\r\n"u8);
        if (end < 0 ? bytes.Length >= LineBytesMax : end + 2 > LineBytesMax) throw Broken("the PROXY line is too long");
        if (end < 0) return false;
        header = ReadLine(bytes[LineStart.Length..end]);
        length = end + 2;
        return true;
    }

    private static bool IsStart(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> whole) =>
        bytes.Length < whole.Length ? whole.StartsWith(bytes) : bytes.StartsWith(whole);

    // "TCP4" or "TCP6", source, destination, source port, destination port; or "UNKNOWN" and whatever follows.
    private static ProxyHeader ReadLine(ReadOnlySpan<byte> line)
    {
        if (line.SequenceEqual("UNKNOWN"u8) || line.StartsWith("UNKNOWN "u8)) return default;
        Span<Range> parts = stackalloc Range[5];
        var count = 0;
        foreach (var part in line.Split((byte)' '))
        {
            if (count == parts.Length) throw Broken("the PROXY line has more than five parts");
            parts[count++] = part;
        }
        if (count < parts.Length) throw Broken("the PROXY line needs a protocol, two addresses and two ports");
        var isV6 = line[parts[0]].SequenceEqual("TCP6"u8);
        if (!isV6 && !line[parts[0]].SequenceEqual("TCP4"u8)) throw Broken("the PROXY line is neither of TCP4, TCP6 nor UNKNOWN");
        return new ProxyHeader(
            new IPEndPoint(ReadAddress(line[parts[1]], isV6), ReadPort(line[parts[3]])),
            new IPEndPoint(ReadAddress(line[parts[2]], isV6), ReadPort(line[parts[4]])));
    }

    private static IPAddress ReadAddress(ReadOnlySpan<byte> text, bool isV6)
    {
        // The parser of addresses also takes forms that no proxy writes: 0x7f.1, a scope, brackets.
        var isPlain = isV6
            ? text.Contains((byte)':') && text.IndexOfAnyExcept("0123456789abcdefABCDEF:."u8) < 0
            : text.Count((byte)'.') == 3 && text.IndexOfAnyExcept("0123456789."u8) < 0;
        return isPlain && IPAddress.TryParse(Encoding.ASCII.GetString(text), out var address)
            ? address
            : throw Broken("the PROXY line has an address that is none of its family");
    }

    private static int ReadPort(ReadOnlySpan<byte> text) =>
        text.Length is > 0 and <= 5 && !(text[0] == '0' && text.Length > 1)
        && ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            ? port
            : throw Broken("the PROXY line has a port that is none");

    // Signature (12), version and command, family and transport, length (2, big-endian), addresses, extensions.
    private static bool TryReadBinary(ReadOnlySpan<byte> bytes, out ProxyHeader header, out int length)
    {
        header = default;
        var (version, command) = (bytes[12] >> 4, bytes[12] & 0x0F);
        if (version != 2 || command > 1) throw Broken($"the PROXY header has version {version} and command {command}");
        length = FixedBytes + BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]);
        if (length > BytesMax) throw Broken($"the PROXY header has {length} bytes, more than {BytesMax}");
        if (bytes.Length < length) return false;
        var (family, transport) = (bytes[13] >> 4, bytes[13] & 0x0F);
        if (family > 3 || transport > 2) throw Broken("the PROXY header has an address family or transport that is none");
        var rest = bytes[FixedBytes..length];
        var addressBytes = family switch { 1 => Ipv4Bytes, 2 => Ipv6Bytes, 3 => 216, _ => 0 };
        if (rest.Length < addressBytes) throw Broken("the PROXY header is shorter than its addresses");
        // Unix sockets and unknown families tell of nobody that could be named.
        if (family != 0) CheckExtensions(bytes[..length], FixedBytes + addressBytes);
        // The proxy's own connection, a health check for instance: who is connected is who speaks.
        if (command == 0 || transport != 1) return true;
        if (family == 1) header = ReadAddresses(rest, 4);
        if (family == 2) header = ReadAddresses(rest, 16);
        return true;
    }

    private static ProxyHeader ReadAddresses(ReadOnlySpan<byte> rest, int size) => new(
        new IPEndPoint(new IPAddress(rest[..size]), BinaryPrimitives.ReadUInt16BigEndian(rest[(size * 2)..])),
        new IPEndPoint(new IPAddress(rest.Slice(size, size)), BinaryPrimitives.ReadUInt16BigEndian(rest[((size * 2) + 2)..])));

    // Each: type, length (2, big-endian), value. A CRC32C, where there is one, must be right (section 2.2.4).
    private static void CheckExtensions(ReadOnlySpan<byte> whole, int at)
    {
        while (at < whole.Length)
        {
            if (whole.Length - at < 3) throw Broken("the PROXY header ends inside an extension");
            var size = BinaryPrimitives.ReadUInt16BigEndian(whole[(at + 1)..]);
            if (whole.Length - at - 3 < size) throw Broken("an extension of the PROXY header is longer than the header");
            if (whole[at] == ChecksumType && (size != 4 || BinaryPrimitives.ReadUInt32BigEndian(whole[(at + 3)..]) != Checksum(whole, at + 3)))
                throw Broken("the checksum of the PROXY header is wrong");
            at += 3 + size;
        }
    }

    /// <summary>CRC32C of a header whose four bytes of checksum count as zero.</summary>
    internal static uint Checksum(ReadOnlySpan<byte> whole, int checksumAt)
    {
        var crc = uint.MaxValue;
        for (var i = 0; i < whole.Length; i++)
            crc = BitOperations.Crc32C(crc, i >= checksumAt && i < checksumAt + 4 ? (byte)0 : whole[i]);
        return ~crc;
    }

    private static ProxyHeaderException Broken(string detail) => new(detail);
}
