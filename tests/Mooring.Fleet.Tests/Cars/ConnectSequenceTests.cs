using Mooring.Fleet.Cars;
using DeviceState = Mooring.Fleet.Protocol.Status.Types.DeviceState;

namespace Mooring.Fleet.Tests.Cars;

public sealed class ConnectSequenceTests : CarTest
{
    [Fact]
    public async Task C053_connect_without_devices_gets_no_response()
    {
        Start();
        Connect();
        await NothingMoreAsync();
        Assert.Empty(Car.Devices);
    }

    [Fact]
    public async Task C054_connect_with_empty_session_gets_no_response()
    {
        Start();
        Session = "";
        Connect(Device("a"));
        await NothingMoreAsync();
    }

    [Fact]
    public async Task C059_first_status_is_answered_with_its_own_counter()
    {
        Start();
        Connect(Device("a"));
        Assert.Equal(Session, (await NextAsync()).ConnectResponse.SessionId);
        Status(DeviceState.Connecting, 77, Device("a"));
        Assert.Equal(77u, (await NextAsync()).StatusResponse.MessageCounter);
    }

    [Fact]
    public async Task C061_C062_status_of_unlisted_device_is_forwarded_but_not_answered()
    {
        Start();
        Connect(Device("a"));
        await NextAsync();
        Status(DeviceState.Connecting, 1, Device("b"), "B");
        await NothingMoreAsync();
        Status(DeviceState.Connecting, 2, Device("a"), "A");
        await NextAsync();
        await NextAsync();
        Assert.Equal(["status b B", "status a A"], Module.Calls.Where(c => c.StartsWith("status", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task C067_missing_first_status_ends_in_error_after_T_and_C069_a_new_sequence_succeeds()
    {
        Start();
        Connect(Device("a"), Device("b"));
        await NextAsync();
        Status(DeviceState.Connecting, 1, Device("a"));
        await NextAsync();
        await AdvanceAsync(2.9);
        Assert.Equal(CarState.Connected, Car.State);
        await AdvanceAsync(0.2);
        Assert.Equal(CarState.Error, Car.State);
        await NoteAsync();
        await RunAsync(Device("a"), Device("b"));
    }

    [Fact]
    public async Task C070_first_status_that_is_not_connecting_fails_the_sequence()
    {
        Start();
        Connect(Device("a"));
        await NextAsync();
        Status(DeviceState.Running, 1, Device("a"));
        await NoteAsync();
        await SettleAsync();
        Assert.Equal(CarState.Error, Car.State);
    }

    [Fact]
    public async Task C074_connect_repeated_in_the_sequence_is_tolerated()
    {
        Start();
        Connect(Device("a"));
        await NextAsync();
        Connect(Device("a"));
        Status(DeviceState.Connecting, 1, Device("a"));
        Assert.Equal(1u, (await NextAsync()).StatusResponse.MessageCounter);
    }

    [Fact]
    public async Task C075_C087_repeated_first_status_gets_one_answer()
    {
        Start();
        Connect(Device("a"), Device("b"));
        await NextAsync();
        Status(DeviceState.Connecting, 1, Device("a"));
        Status(DeviceState.Connecting, 1, Device("a"));
        Assert.Equal(1u, (await NextAsync()).StatusResponse.MessageCounter);
        await NothingMoreAsync();
    }

    [Fact]
    public async Task C078_C083_first_command_is_empty_and_has_counter_0()
    {
        Start();
        Connect(Device("a"));
        await NextAsync();
        Status(DeviceState.Connecting, 1, Device("a"));
        await NextAsync();
        var command = (await NextAsync()).Command;
        Assert.Equal(0u, command.MessageCounter);
        Assert.True(command.DeviceCommand.CommandData.IsEmpty);
        Assert.Equal(0u, command.DeviceCommand.Device.Priority);
    }

    [Fact]
    public async Task C079_C080_first_command_is_the_oldest_buffered_one()
    {
        Start();
        Connect(Device("a"));
        await NextAsync();
        Module.Give(Device("a"), "one");
        Module.Give(Device("a"), "two");
        Status(DeviceState.Connecting, 1, Device("a"));
        await NextAsync();
        Assert.Equal("one", (await NextAsync()).Command.DeviceCommand.CommandData.ToStringUtf8());
        await NothingMoreAsync();
    }

    [Fact]
    public async Task C085_command_counter_goes_on_over_sessions()
    {
        Start();
        await RunAsync(Device("a"));
        Session = "sess0002";
        Connect(Device("a"));
        await NextAsync();
        Status(DeviceState.Connecting, 1, Device("a"));
        await NextAsync();
        Assert.Equal(1u, (await NextAsync()).Command.MessageCounter);
    }

    [Fact]
    public async Task C086_commands_from_before_the_first_device_are_discarded()
    {
        Start();
        Module.Give(Device("a"), "stale");
        await SettleAsync();
        Connect(Device("a"));
        await NextAsync();
        Status(DeviceState.Connecting, 1, Device("a"));
        await NextAsync();
        Assert.True((await NextAsync()).Command.DeviceCommand.CommandData.IsEmpty);
    }

    [Fact]
    public async Task D5_every_listed_device_is_answered_and_gets_a_first_command()
    {
        Start();
        var devices = new[] { Device("a"), Device("b", type: 99), Device("c", module: 7) };
        await RunAsync(devices);
        Assert.Equal("a", Assert.Single(Car.Devices).DeviceRole);
    }

    [Fact]
    public async Task D9_sixty_devices_connect()
    {
        Start();
        await RunAsync([.. Enumerable.Range(0, 60).Select(i => Device($"d{i}"))]);
        Assert.Equal(60, Car.Devices.Count);
    }

    [Fact]
    public async Task D13_status_in_the_command_phase_is_answered_after_the_sequence()
    {
        Start();
        Connect(Device("a"));
        await NextAsync();
        Status(DeviceState.Connecting, 1, Device("a"));
        await NextAsync();
        var command = (await NextAsync()).Command;
        Status(DeviceState.Running, 2, Device("a"));
        await NothingMoreAsync();
        Respond(command.MessageCounter);
        Assert.Equal(2u, (await NextAsync()).StatusResponse.MessageCounter);
    }

    [Fact]
    public async Task D15_device_with_empty_role_is_refused_with_a_warning()
    {
        Start();
        await RunAsync(Device("a"), Device(""));
        Assert.Single(Car.Devices);
        await LoggedAsync(4009);
    }
}
