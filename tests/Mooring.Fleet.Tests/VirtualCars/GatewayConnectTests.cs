using Mooring.Fleet.Protocol;
using Mooring.Fleet.VirtualCars;
using Mooring.Kernel.Links;
using DeviceState = Mooring.Fleet.Protocol.Status.Types.DeviceState;

namespace Mooring.Fleet.Tests.VirtualCars;

/// <summary>The connect sequence as a real gateway goes through it.</summary>
public sealed class GatewayConnectTests : VirtualCarTest
{
    [Fact]
    public async Task Sequence_listsItsDevices_sendsFirstStatusesFrom1_andAnswersFirstCommands()
    {
        Options = Options with { Devices = [new(VirtualDeviceKind.Drive, "d"), new(VirtualDeviceKind.Button, "b") { Module = 7, Name = "Bell" }] };
        Start();
        var connect = await ConnectAsync();
        Assert.Matches("^[0-9A-Za-z]{8}$", connect.SessionId);
        Assert.Equal(("company", "car1"), (connect.Company, connect.VehicleName));
        Assert.Equal(
            ["1000/1/d/Drive/0", "7/0/b/Bell/0"],
            connect.Devices.Select(d => $"{(int)d.Module}/{d.DeviceType}/{d.DeviceRole}/{d.DeviceName}/{d.Priority}"));
        await AcceptAsync(connect.SessionId);
        for (var i = 0u; i < 2; i++)
        {
            // Both come before any answer.
            var status = await StatusAsync();
            Assert.Equal((connect.SessionId, DeviceState.Connecting, i + 1), (status.SessionId, status.DeviceState, status.MessageCounter));
            Assert.Equal(connect.Devices[(int)i], status.DeviceStatus.Device);
            Assert.False(status.HasErrorMessage);
        }
        await AnswerAsync(connect.SessionId, 2);
        await AnswerAsync(connect.SessionId, 1);
        await CommandAsync(connect.SessionId, uint.MaxValue, connect.Devices[0]);
        await CommandAsync(connect.SessionId, 0, connect.Devices[1]);
        Assert.Equal((connect.SessionId, uint.MaxValue), (await CommandResponseAsync()) is var a ? (a.SessionId, a.MessageCounter) : default);
        Assert.Equal(0u, (await CommandResponseAsync()).MessageCounter);
        await Fleet.WhenRunningAsync(1, TestTimeout);
    }

    [Fact]
    public async Task NoAnswer_within5s_isRetriedAfter10s_withAnotherSession()
    {
        Start();
        var first = await ConnectAsync();
        await Clock.WhenTimerDueInAsync(TimeSpan.FromSeconds(5), TestTimeout);
        await PassAsync(4.9);
        Assert.True(IsQuiet);
        await PassAsync(0.1);
        Assert.Equal("no ConnectResponse within 5 s", await EndAsync(first.SessionId));
        await PassAsync(9.9);
        Assert.True(IsQuiet);
        await PassAsync(0.1);
        Assert.NotEqual(first.SessionId, await RunAsync());
    }

    [Theory]
    [InlineData("already logged", "the server answered AlreadyLogged")]
    [InlineData("foreign", "a message of session 'foreign' came")]
    [InlineData("status response", "another message came instead of the ConnectResponse")]
    [InlineData("nothing in it", "another message came instead of the ConnectResponse")]
    [InlineData("note", "the server sent its disconnect note instead of a ConnectResponse")]
    [InlineData("garbage", "a message came that cannot be read")]
    [InlineData("link", "the broker was lost")]
    public async Task AnythingElse_thanTheConnectResponse_isAFault(string what, string reason)
    {
        Start();
        var session = (await ConnectAsync()).SessionId;
        switch (what)
        {
            case "already logged":
                var refusal = new ConnectResponse { SessionId = session, Type = ConnectResponse.Types.Type.AlreadyLogged };
                await SendAsync(new ExternalServer { ConnectResponse = refusal });
                break;
            case "foreign":
                await AcceptAsync("foreign");
                break;
            case "status response":
                await AnswerAsync(session, 1);
                break;
            case "nothing in it":
                await SendAsync(new ExternalServer());
                break;
            case "note":
                await SendNoteAsync();
                break;
            case "garbage":
                await Mqtt.DeliverAsync("company/car1/external_server", [0xff, 0xff]);
                break;
            default:
                MoveLink(LinkState.Waiting);
                MoveLink(LinkState.Connecting);
                break;
        }
        Assert.Equal(reason, await EndAsync(session));
        MoveLink(LinkState.Up);
        await PassAsync(10);
        await RunAsync();
    }

    [Fact]
    public async Task ConnectResponse_twice_isAFault()
    {
        Start();
        var session = (await ConnectAsync()).SessionId;
        await AcceptAsync(session);
        await AcceptAsync(session);
        Assert.Equal("another message came instead of a StatusResponse", await EndAsync(session));
    }

    [Fact]
    public async Task CommandBeforeTheLastStatusResponse_isAFault()
    {
        Options = Options with { Devices = [new(VirtualDeviceKind.Echo, "a"), new(VirtualDeviceKind.Echo, "b")] };
        Start();
        var connect = await ConnectAsync();
        await AcceptAsync(connect.SessionId);
        await AnswerAsync(connect.SessionId, (await StatusAsync()).MessageCounter);
        await CommandAsync(connect.SessionId, 0, connect.Devices[0]);
        Assert.Equal("another message came instead of a StatusResponse", await EndAsync(connect.SessionId));
    }

    [Fact]
    public async Task SecondAnswerToAFirstStatus_isAFault()
    {
        Options = Options with { Devices = [new(VirtualDeviceKind.Echo, "a"), new(VirtualDeviceKind.Echo, "b")] };
        Start();
        var session = (await ConnectAsync()).SessionId;
        await AcceptAsync(session);
        await AnswerAsync(session, (await StatusAsync()).MessageCounter);
        await AnswerAsync(session, 1);
        Assert.Equal("no status 1 was open", await EndAsync(session));
    }

    [Fact]
    public async Task FewerStatusResponsesThanDevices_isAFaultAfter5s()
    {
        Options = Options with { Devices = [new(VirtualDeviceKind.Echo, "a"), new(VirtualDeviceKind.Echo, "b")] };
        Start();
        var session = (await ConnectAsync()).SessionId;
        await AcceptAsync(session);
        await AnswerAsync(session, (await StatusAsync()).MessageCounter);
        await StatusAsync();
        await PassAsync(10);
        Assert.Equal("no StatusResponse within 5 s", await EndAsync(session));
    }

    [Fact]
    public async Task FewerFirstCommandsThanDevices_isAFaultAfter5s()
    {
        Start();
        var connect = await ConnectAsync();
        await AcceptAsync(connect.SessionId);
        await AnswerAsync(connect.SessionId, (await StatusAsync()).MessageCounter);
        // Twice the time: it may begin to count after the first half.
        await PassAsync(10);
        Assert.Equal("no first Command within 5 s", await EndAsync(connect.SessionId));
    }

    [Fact]
    public async Task WithoutABroker_nothingIsTried()
    {
        var unreachable = new Cars.FakeMqtt { IsUnreachable = true };
        await using var fleet = new VirtualFleet(Options, _ => unreachable, Clock, new Microsoft.Extensions.Logging.Abstractions.NullLogger<VirtualFleet>());
        fleet.Start();
        Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Empty(unreachable.Published);
        unreachable.Move(LinkState.Up);
        await unreachable.WhenPublishedAsync(1, TestTimeout);
    }

    [Fact]
    public async Task BrokerThatRefuses_isTold()
    {
        Expect(4302);
        var refusing = new Cars.FakeMqtt { Refusal = "not authorized" };
        await using var fleet = new VirtualFleet(
            Options, _ => refusing, Clock, Microsoft.Extensions.Logging.LoggerFactoryExtensions.CreateLogger<VirtualFleet>(LoggerFactory));
        fleet.Start();
        await Assert.ThrowsAsync<Mooring.Mqtt.MqttRefusedException>(() => fleet.Refused.WaitAsync(TestTimeout));
        await LoggedAsync(4302);
    }
}
