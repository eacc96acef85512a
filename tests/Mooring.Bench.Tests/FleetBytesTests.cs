using Mooring.Bench.Fleet;

namespace Mooring.Bench.Tests;

public sealed class FleetBytesTests
{
    [Theory]
    [InlineData("0a0a0a087365737330303031", FleetBytes.ConnectResponse, 0u)]
    [InlineData("0a080a04733130341001", FleetBytes.ConnectResponse, 0u)]
    [InlineData("120c0a0873657373303030311801", FleetBytes.StatusResponse, 1u)]
    [InlineData("120c0a047772617018ffffffff0f", FleetBytes.StatusResponse, 4294967295u)]
    [InlineData("1a210a0873657373303030311a150a1308e8071a06746573745f312206427574746f6e", FleetBytes.Command, 0u)]
    [InlineData("1a230a08736573733030303110011a150a1308e8071a06746573745f322206427574746f6e", FleetBytes.Command, 1u)]
    [InlineData("", 0, 0u)]
    public void MessageOfTheReferenceServer_IsReadWithItsCounter(string hex, int kind, uint counter)
    {
        Assert.Equal((kind, counter), FleetBytes.Read(Convert.FromHexString(hex)));
    }

    [Fact]
    public void Status_LeavesOutZeroValues()
    {
        var device = FleetBytes.EncodeDevice(1000, 0, "r", "n");
        var status = FleetBytes.EncodeStatus("s", FleetBytes.StateConnecting, 0, device, [0x41]);

        Assert.Equal("08e8071a01722201" + "6e", Convert.ToHexStringLower(device));
        Assert.Equal("12130a01732" + "20e0a0908e8071a017222016e120141", Convert.ToHexStringLower(status));
    }

    [Fact]
    public void CommandResponse_EchoesTheCounter() =>
        Assert.Equal("1a060a0173188001", Convert.ToHexStringLower(FleetBytes.EncodeCommandResponse("s", 128)));
}
