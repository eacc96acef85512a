using System.Globalization;
using Mooring.Tunnel.Links;

namespace Mooring.Tunnel.Tests.Links;

public sealed class IdentifierTests
{
    [Fact]
    public void Item1_3_EightSymbolsWithoutLookAlikes_AfterThePrefixIfThereIsOne()
    {
        Assert.Matches("^[a-km-z2-9]{8}$", Identifier.Next());
        Assert.Matches("^[a-km-z2-9]{8}$", Identifier.Next(""));
        Assert.Matches("^tun-[a-km-z2-9]{8}$", Identifier.Next("tun"));
    }

    [Fact]
    public void Item2_HundredIdentifiers_AreDistinct() => Assert.Equal(100, Enumerable.Range(0, 100).Select(_ => Identifier.Next()).Distinct().Count());

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(32)]
    public void Item4_LengthIsThatOfTheRandomPart(int length)
    {
        Assert.Equal(length, Identifier.Next("", length).Length);
        Assert.Equal(7 + length, Identifier.Next("prefix", length).Length);
    }

    [Fact]
    public void Item5_ClientsRequestsAndSessions_HaveTheirShapes()
    {
        Assert.Equal((19, 12), (Identifier.NextClient().Length, Identifier.NextRequest().Length));
        var now = DateTimeOffset.FromUnixTimeSeconds(1_765_000_000);
        var parts = Identifier.NextSession(now).Split('-');
        Assert.Equal(("sess", now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), 3), (parts[0], parts[1], parts.Length));
    }
}
