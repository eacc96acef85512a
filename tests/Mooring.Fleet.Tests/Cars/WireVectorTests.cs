using Google.Protobuf;
using Mooring.Fleet.Protocol;

namespace Mooring.Fleet.Tests.Cars;

/// <summary>Bytes as a Module Gateway reads them: the messages of this server must be identical.</summary>
public sealed class WireVectorTests
{
    private static Device Device(string role) => new()
    {
        Module = Protocol.Device.Types.Module.ExampleModule, DeviceRole = role, DeviceName = "Button",
    };

    private static string Hex(ExternalServer message) => Convert.ToHexStringLower(message.ToByteArray());

    private static string Hex(string session, uint counter, string role, string data) => Hex(new ExternalServer
    {
        Command = new Command
        {
            SessionId = session, MessageCounter = counter,
            DeviceCommand = new DeviceCommand { Device = Device(role), CommandData = ByteString.CopyFromUtf8(data) },
        },
    });

    [Theory]
    [InlineData("sess0001", 0, "0a0a0a087365737330303031")]
    [InlineData("s104", 1, "0a080a04733130341001")]
    public void C014_connect_response(string session, int type, string hex) => Assert.Equal(hex, Hex(new ExternalServer
    {
        ConnectResponse = new ConnectResponse { SessionId = session, Type = (ConnectResponse.Types.Type)type },
    }));

    [Theory]
    [InlineData("sess0001", 1u, "120c0a0873657373303030311801")]
    [InlineData("wrap", uint.MaxValue, "120c0a047772617018ffffffff0f")]
    public void C014_status_response(string session, uint counter, string hex) => Assert.Equal(hex, Hex(new ExternalServer
    {
        StatusResponse = new StatusResponse { SessionId = session, MessageCounter = counter },
    }));

    [Theory]
    [InlineData(0u, "test_1", "", "1a210a0873657373303030311a150a1308e8071a06746573745f312206427574746f6e")]
    [InlineData(1u, "test_2", "", "1a230a08736573733030303110011a150a1308e8071a06746573745f322206427574746f6e")]
    [InlineData(2u, "test_1", "{\"lit_up\": false}",
        "1a360a08736573733030303110021a280a1308e8071a06746573745f312206427574746f6e12117b226c69745f7570223a2066616c73657d")]
    public void C014_command(uint counter, string role, string data, string hex) =>
        Assert.Equal(hex, Hex("sess0001", counter, role, data));
}
