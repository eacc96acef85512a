using System.Net;
using System.Text;
using Mooring.Kernel.Proxying;
using Mooring.Testing;

namespace Mooring.Kernel.Tests.Proxying;

public sealed class ProxyHeaderTests
{
    // A name, the bytes, and the source's address.
    private static readonly Dictionary<string, (byte[] Bytes, string Source)> Vectors = File.ReadLines(RepositoryRoot.Combine("tests/vectors/proxy/headers.txt"))
        .Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split(' '))
        .ToDictionary(fields => fields[0], fields => (Convert.FromHexString(fields[1]), fields[2]), StringComparer.Ordinal);

    public static TheoryData<string> Names => [.. Vectors.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Vector_IsRead_AndWhatFollowsIsLeft(string name)
    {
        var bytes = Vectors[name].Bytes;
        Assert.True(ProxyHeaderReader.TryRead([.. bytes, .. "GET /"u8], out var header, out var length));
        Assert.Equal(bytes.Length, length);
        Assert.Equal(Vectors[name].Source, header.Source?.ToString() ?? "-");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void EveryCut_WantsMore(string name)
    {
        var bytes = Vectors[name].Bytes;
        for (var length = 0; length < bytes.Length; length++) Assert.False(ProxyHeaderReader.TryRead(bytes.AsSpan(0, length), out _, out _), $"cut at {length}");
    }

    [Theory]
    [InlineData("v1-tcp4", 1)]
    [InlineData("v1-tcp6", 1)]
    [InlineData("v1-unknown", 1)]
    [InlineData("v2-tcp4", 2)]
    [InlineData("v2-tcp6", 2)]
    [InlineData("v2-local", 2)]
    public void Vector_IsWhatIsWritten(string name, int version)
    {
        Assert.True(ProxyHeaderReader.TryRead(Vectors[name].Bytes, out var header, out _));
        Assert.Equal(Vectors[name].Bytes, ProxyHeaderWriter.Write(version, header));
    }

    [Fact]
    public void AddressesOfTwoFamilies_SayThatNothingIsKnown()
    {
        var header = new ProxyHeader(new IPEndPoint(IPAddress.Loopback, 1), new IPEndPoint(IPAddress.IPv6Loopback, 2));
        Assert.Equal("PROXY UNKNOWN\r\n"u8, ProxyHeaderWriter.Write(1, header));
        Assert.Equal(Vectors["v2-local"].Bytes, ProxyHeaderWriter.Write(2, header));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n")]
    [InlineData("proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n")]
    [InlineData("PROXY\r\n")]
    [InlineData("PROXY \r\n")]
    [InlineData("PROXY TCP4\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n")]
    [InlineData("PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n")]
    [InlineData("PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n")]
    [InlineData("PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n")]
    [InlineData("PROXY TCP4 0x7f.0.0.1 1.2.3.4 1 2\r\n")]
    [InlineData("PROXY TCP4 ::1 1.2.3.4 1 2\r\n")]
    [InlineData("PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n")]
    [InlineData("PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n")]
    [InlineData("PROXY TCP6 [::1] ::1 1 2\r\n")]
    [InlineData("PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n")]
    [InlineData("PROXY UNKNOWNX\r\n")]
    public void BrokenLine_IsRefused(string line)
    {
        var padded = Encoding.ASCII.GetBytes(line + new string(' ', ProxyHeaderReader.LineBytesMax));
        Assert.Throws<ProxyHeaderException>(() => ProxyHeaderReader.TryRead(padded, out _, out _));
    }

    [Theory]
    [InlineData("11" + "11000C")] // version 1
    [InlineData("31" + "11000C")] // version 3
    [InlineData("22" + "11000C")] // no such command
    [InlineData("21" + "41000C")] // no such family
    [InlineData("21" + "13000C")] // no such transport
    [InlineData("21" + "11000B")] // shorter than its addresses
    [InlineData("21" + "210023")]
    [InlineData("21" + "11000E")] // ends inside an extension's head
    [InlineData("21" + "11000F")] // an extension longer than the header
    [InlineData("21" + "110013")] // wrong checksum
    [InlineData("21" + "110FF1")] // 1 byte above the limit
    [InlineData("21" + "11FFFF")]
    public void BrokenBinaryHeader_IsRefused(string hex)
    {
        byte[] bytes = [.. ProxyHeaderReader.Signature, .. Convert.FromHexString(hex), .. new byte[12], 0x03, 0, 4, 1, 2, 3, 4, .. new byte[64]];
        if (hex.EndsWith("000F", StringComparison.Ordinal)) bytes[29] = 9;
        Assert.Throws<ProxyHeaderException>(() => ProxyHeaderReader.TryRead(bytes, out _, out _));
    }

    [Fact]
    public void TwentyThousandMutatedHeaders_AreReadOrRefusedByName()
    {
        var random = new Random(4711);
        byte[][] corpus = [.. Vectors.Values.Select(vector => vector.Bytes)];
        for (var i = 0; i < 20_000; i++)
        {
            byte[] bytes = [.. corpus[random.Next(corpus.Length)]];
            for (var changes = random.Next(1, 4); changes > 0; changes--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            try
            {
                if (ProxyHeaderReader.TryRead(bytes, out _, out var length)) Assert.InRange(length, 1, bytes.Length);
            }
            catch (ProxyHeaderException)
            {
                // A named refusal.
            }
        }
    }
}
