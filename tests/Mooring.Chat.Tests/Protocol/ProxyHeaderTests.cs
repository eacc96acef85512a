using System.Net;
using System.Text;
using Mooring.Chat.Protocol;

namespace Mooring.Chat.Tests.Protocol;

/// <summary>Headers of load balancers.</summary>
public sealed class ProxyHeaderTests
{
    private const string Signature = "0D0A0D0A000D0A515549540A";

    /// <summary>Header in hexadecimal, and the client that it tells of.</summary>
    public static TheoryData<string, string?> Good { get; } = new()
    {
        { Hex("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"), "192.0.2.1" },
        { Hex("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n"), "2001:db8::1" },
        { Hex("PROXY UNKNOWN\r\n"), null },
        { Hex("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), null },
        { Signature + "2111000C" + "C0000201" + "C6336402" + "DC04" + "01BB", "192.0.2.1" },
        { Signature + "21110010" + "C0000201" + "C6336402" + "DC04" + "01BB" + "04000101", "192.0.2.1" },
        { Signature + "21210024" + "20010DB8000000000000000000000001" + "20010DB8000000000000000000000002" + "DC04" + "01BB", "2001:db8::1" },
        { Signature + "20000000", null },
        { Signature + "2111000C", null },
        { Signature + "21000000", null },
    };

    [Theory]
    [MemberData(nameof(Good))]
    public void A_header_is_read_when_its_last_byte_is_there_and_not_before(string hex, string? client)
    {
        if (hex == Signature + "2111000C") hex += new string('0', 24);
        var header = Convert.FromHexString(hex);
        byte[] all = [.. header, .. "HELLO\n"u8];
        for (var length = 0; length < header.Length; length++)
            Assert.Equal(ProxyHeaderOutcome.Incomplete, ProxyHeader.Read(all.AsSpan(0, length), out _, out _));
        for (var length = header.Length; length <= all.Length; length++)
        {
            Assert.Equal(ProxyHeaderOutcome.Whole, ProxyHeader.Read(all.AsSpan(0, length), out var taken, out var source));
            Assert.Equal(header.Length, taken);
            if (client is not null) Assert.Equal(IPAddress.Parse(client), source);
        }
    }

    [Theory]
    [InlineData("HELLO main:a\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n")]
    [InlineData("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n")]
    [InlineData("PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.2 1 65536\r\n")]
    [InlineData("PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n")]
    [InlineData("PROXY TCP4 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")]
    public void What_is_no_header_is_refused(string text) =>
        Assert.Equal(ProxyHeaderOutcome.Malformed, ProxyHeader.Read(Encoding.ASCII.GetBytes(text), out _, out _));

    [Theory]
    [InlineData("1111000C")]
    [InlineData("2211000C")]
    [InlineData("21110004")]
    [InlineData("2111FFFF")]
    public void What_is_no_binary_header_is_refused(string rest) =>
        Assert.Equal(ProxyHeaderOutcome.Malformed, ProxyHeader.Read([.. Convert.FromHexString(Signature + rest), .. new byte[64]], out _, out _));

    [Fact]
    public void Twenty_thousand_random_and_mutated_inputs_are_read_without_a_fault()
    {
        var random = new Random(20_260_102);
        byte[][] seeds = [.. Good.Select(row => Convert.FromHexString(row.Data.Item1))];
        for (var i = 0; i < 20_000; i++)
        {
            byte[] bytes = [.. seeds[random.Next(seeds.Length)]];
            if (i % 4 == 0) random.NextBytes(bytes);
            else bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (ProxyHeader.Read(bytes, out var length, out _) == ProxyHeaderOutcome.Whole) Assert.InRange(length, 1, bytes.Length);
        }
    }

    private static string Hex(string text) => Convert.ToHexString(Encoding.ASCII.GetBytes(text));
}
