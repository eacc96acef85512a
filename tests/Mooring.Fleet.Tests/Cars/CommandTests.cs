using Google.Protobuf;
using Mooring.Fleet.Cars;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.Protocol;
using ResponseType = Mooring.Fleet.Protocol.CommandResponse.Types.Type;

namespace Mooring.Fleet.Tests.Cars;

/// <summary>Commands in normal communication and their responses.</summary>
public sealed class CommandTests : CarTest
{
    private async Task<Command> CommandAsync() => (await NextAsync()).Command;

    private async Task<uint> SentAsync(string role, string data)
    {
        Module.Give(Device(role), data);
        return (await CommandAsync()).MessageCounter;
    }

    [Fact]
    public async Task C110_C123_command_goes_out_with_the_next_counter_and_the_device_as_the_module_gave_it()
    {
        Start();
        await RunAsync(Device("a"));
        Module.Give(Device("a"), "go");
        var command = await CommandAsync();
        Assert.Equal((Session, 1u, "go"), (command.SessionId, command.MessageCounter, command.DeviceCommand.CommandData.ToStringUtf8()));
        Assert.Equal(Device("a"), command.DeviceCommand.Device);
    }

    [Fact]
    public async Task C111_command_of_the_wrong_module_is_published_when_allowed()
    {
        Start(Defaults with { SendInvalidCommand = true });
        await RunAsync(Device("a"));
        Module.Give(Device("a", module: 5), "x");
        Assert.Equal(5, (int)(await CommandAsync()).DeviceCommand.Device.Module);
        await LoggedAsync(4012);
    }

    [Fact]
    public async Task C113_empty_command_is_published_with_a_warning()
    {
        Start();
        await RunAsync(Device("a"));
        Module.Give(Device("a"), "");
        Assert.True((await CommandAsync()).DeviceCommand.CommandData.IsEmpty);
        await LoggedAsync(4014);
    }

    [Fact]
    public async Task C114_command_for_a_device_that_is_not_connected_is_published_with_a_warning()
    {
        Start();
        await RunAsync(Device("a"));
        Module.Give(Device("b"), "x");
        Assert.Equal("b", (await CommandAsync()).DeviceCommand.Device.DeviceRole);
        await LoggedAsync(4013);
    }

    [Fact]
    public async Task C115_response_OK_leaves_nothing_outstanding_and_acknowledges_the_command()
    {
        Start();
        await RunAsync(Device("a"));
        Respond(await SentAsync("a", "go"));
        await SettleAsync();
        Assert.Equal(0, Car.OutstandingCommands);
        Assert.Equal("ack go", Module.Calls[^1]);
    }

    [Fact]
    public async Task C116_response_when_nothing_is_outstanding_is_ignored()
    {
        Start();
        await RunAsync(Device("a"));
        Respond(0);
        await NothingMoreAsync();
        Assert.Equal(CarState.Running, Car.State);
        await LoggedAsync(4015);
    }

    [Fact]
    public async Task C117_response_of_a_foreign_session_is_not_accepted_and_the_command_stays()
    {
        Start();
        await RunAsync(Device("a"));
        var counter = await SentAsync("a", "go");
        Session = "foreign0";
        Respond(counter);
        await SettleAsync();
        Assert.Equal(1, Car.OutstandingCommands);
    }

    [Fact]
    public async Task C118_response_with_a_counter_that_is_not_outstanding_is_not_accepted_and_the_command_stays()
    {
        Start();
        await RunAsync(Device("a"));
        var counter = await SentAsync("a", "go");
        Respond(counter + 1);
        Respond(counter - 1);
        await SettleAsync();
        Assert.Equal(1, Car.OutstandingCommands);
    }

    [Fact]
    public async Task C119_DEVICE_NOT_CONNECTED_for_the_oldest_command_disconnects_its_device_only()
    {
        Start();
        await RunAsync(Device("a"), Device("b"));
        var oldest = await SentAsync("a", "1");
        await SentAsync("b", "2");
        Respond(oldest, ResponseType.DeviceNotConnected);
        await SettleAsync();
        Assert.Equal("b", Assert.Single(Car.Devices).DeviceRole);
    }

    [Fact]
    public async Task C120_DEVICE_NOT_CONNECTED_for_a_newer_command_disconnects_its_device_at_once()
    {
        Start();
        await RunAsync(Device("a"), Device("b"));
        await SentAsync("a", "1");
        Respond(await SentAsync("b", "2"), ResponseType.DeviceNotConnected);
        await SettleAsync();
        Assert.Equal("a", Assert.Single(Car.Devices).DeviceRole);
        Assert.Equal(2, Car.OutstandingCommands);
    }

    [Fact]
    public async Task C121_DEVICE_NOT_CONNECTED_for_an_unknown_counter_disconnects_nobody()
    {
        Start();
        await RunAsync(Device("a"));
        Respond(77, ResponseType.DeviceNotConnected);
        await SettleAsync();
        Assert.Single(Car.Devices);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task D10_D16_refused_commands_are_not_acknowledged_and_are_counted(int type)
    {
        Start();
        await RunAsync(Device("a"), Device("b"));
        Respond(await SentAsync("a", "go"), (ResponseType)type);
        await SettleAsync();
        Assert.DoesNotContain("ack go", Module.Calls);
        Assert.Equal(1, Car.Counters.CommandsUndelivered);
        Assert.Equal(0, Car.OutstandingCommands);
    }

    [Fact]
    public async Task C164_D12_payloads_with_NUL_bytes_pass_unchanged_in_both_directions()
    {
        byte[] data = [0, 1, 0, 255, 0];
        Start();
        await RunAsync(Device("a"));
        Module.CommandReady!(new CarCommand(Device("a"), ByteString.CopyFrom(data)));
        Assert.Equal(data, (await CommandAsync()).DeviceCommand.CommandData.ToByteArray());
        Send(new ExternalClient
        {
            Status = new Status
            {
                SessionId = Session, DeviceState = Protocol.Status.Types.DeviceState.Running, MessageCounter = 2,
                DeviceStatus = new DeviceStatus { Device = Device("a"), StatusData = ByteString.CopyFrom(data) },
            },
        });
        await NextAsync();
        Assert.Equal("status a " + ByteString.CopyFrom(data).ToStringUtf8(), Module.Calls[^1]);
    }

    [Fact]
    public async Task Commands_beyond_the_limit_wait_for_responses_and_then_go_out_in_order()
    {
        Start(Defaults with { Limits = new FleetLimits { Commands = 2 } });
        await RunAsync(Device("a"));
        foreach (var data in new[] { "1", "2", "3", "4" }) Module.Give(Device("a"), data);
        var first = await CommandAsync();
        await CommandAsync();
        await NothingMoreAsync();
        Respond(first.MessageCounter);
        Assert.Equal("3", (await CommandAsync()).DeviceCommand.CommandData.ToStringUtf8());
        await NothingMoreAsync();
    }

    [Fact]
    public async Task Operator_learns_what_became_of_a_command()
    {
        Start();
        await RunAsync(Device("a"));
        var outcomes = new List<CommandOutcome>();
        foreach (var type in new[] { ResponseType.Ok, ResponseType.InvalidCommand })
        {
            var outcome = new TaskCompletionSource<CommandOutcome>();
            Car.Post(new CarEvent(CarEventKind.Command, Command: new CarCommand(Device("a"), ByteString.Empty) { Outcome = outcome }));
            Respond((await CommandAsync()).MessageCounter, type);
            outcomes.Add(await outcome.Task.WaitAsync(TestTimeout));
        }
        Assert.Equal([CommandOutcome.Delivered, CommandOutcome.Refused], outcomes);
    }
}
