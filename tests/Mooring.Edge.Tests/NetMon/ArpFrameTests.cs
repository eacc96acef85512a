using Mooring.Edge.NetMon.Vnics;

namespace Mooring.Edge.Tests.NetMon;

/// <summary>Frames of an address probe.</summary>
public sealed class ArpFrameTests
{
    private const string Own = "02:11:22:33:44:55";

    [Fact]
    public void Probe_IsAskedWithoutAddress() => Assert.Equal(
        "FFFFFFFFFFFF" + "021122334455" + "0806" + "0001080006040001" + "021122334455" + "00000000" + "000000000000" + "C0A84D3C",
        Convert.ToHexString(ArpFrame.Probe(Own, "192.168.77.60")));

    [Fact]
    public void WhoHasTheAddress_OrProbesForItToo_Claims()
    {
        var other = ArpFrame.Probe("02:aa:00:00:00:01", "192.168.77.60");
        Assert.Equal("02:aa:00:00:00:01", ArpFrame.ClaimantOf(other, Own, "192.168.77.60"));
        Assert.Null(ArpFrame.ClaimantOf(other, Own, "192.168.77.61"));
        // An ordinary question of the station that has it.
        byte[] having = [192, 168, 77, 60];
        having.CopyTo(other, 28);
        other[41] = 1;
        Assert.Equal("02:aa:00:00:00:01", ArpFrame.ClaimantOf(other, Own, "192.168.77.60"));
        Assert.Null(ArpFrame.ClaimantOf(ArpFrame.Probe(Own, "192.168.77.60"), Own, "192.168.77.60"));
    }

    [Fact]
    public void CutAndRandomFrames_SayNothing()
    {
        var frame = ArpFrame.Probe("02:aa:00:00:00:01", "192.168.77.60");
        for (var length = 0; length < frame.Length; length++) Assert.Null(ArpFrame.ClaimantOf(frame.AsSpan(0, length), Own, "192.168.77.60"));
        var random = new Random(7);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = new byte[random.Next(0, ArpFrame.LengthMax)];
            random.NextBytes(bytes);
            ArpFrame.ClaimantOf(bytes, Own, "192.168.77.60");
        }
    }
}
