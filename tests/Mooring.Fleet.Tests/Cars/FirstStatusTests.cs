using Mooring.Fleet.Cars;
using Mooring.Fleet.Configuration;
using DeviceState = Mooring.Fleet.Protocol.Status.Types.DeviceState;

namespace Mooring.Fleet.Tests.Cars;

/// <summary>Connect and the first status of every device.</summary>
public sealed class FirstStatusTests : CarTest
{
    private IEnumerable<string> Forwarded => Module.Calls.Where(c => c.StartsWith("status", StringComparison.Ordinal));

    private async Task<uint> AnswerAsync() => (await NextAsync()).StatusResponse.MessageCounter;

    private async Task ConnectedAsync(params Protocol.Device[] devices)
    {
        Start();
        Connect(devices);
        Assert.Equal(Session, (await NextAsync()).ConnectResponse.SessionId);
    }

    [Fact]
    public async Task C055_supported_device_becomes_connected_and_the_response_names_the_session()
    {
        await ConnectedAsync(Device("a"));
        Assert.Equal("a", Assert.Single(Car.Devices).DeviceRole);
    }

    [Fact]
    public async Task C056_unsupported_type_is_not_known_and_the_response_is_still_OK()
    {
        await ConnectedAsync(Device("a", type: 99));
        Assert.Empty(Car.Devices);
        await LoggedAsync(4008);
    }

    [Fact]
    public async Task C057_unknown_module_is_not_known_and_the_response_is_still_OK()
    {
        await ConnectedAsync(Device("a", module: 7));
        Assert.Empty(Car.Devices);
    }

    [Fact]
    public async Task C058_two_devices_of_one_module_both_become_connected()
    {
        await ConnectedAsync(Device("a"), Device("b"));
        Assert.Equal(["a", "b"], Car.Devices.Select(d => d.DeviceRole));
    }

    [Fact]
    public async Task C060_three_first_statuses_are_answered_in_the_order_of_arrival()
    {
        await ConnectedAsync(Device("a"), Device("b"), Device("c"));
        Status(DeviceState.Connecting, 5, Device("b"));
        Status(DeviceState.Connecting, 3, Device("c"));
        Status(DeviceState.Connecting, 9, Device("a"));
        Assert.Equal((5u, 3u, 9u), (await AnswerAsync(), await AnswerAsync(), await AnswerAsync()));
    }

    [Fact]
    public async Task C063_status_of_an_unsupported_device_is_not_forwarded_and_does_not_complete_the_sequence()
    {
        Start(Defaults with { ReferenceAnswers = true });
        Connect(Device("a"), Device("x", type: 99));
        await NextAsync();
        Status(DeviceState.Connecting, 1, Device("x", type: 99), "X");
        await NothingMoreAsync();
        Status(DeviceState.Connecting, 2, Device("a"), "A");
        Assert.Equal(2u, await AnswerAsync());
        await NextAsync();
        Assert.Equal(["status a A"], Forwarded);
    }

    [Fact]
    public async Task C064_C065_statuses_in_another_order_than_listed_complete_the_sequence_and_are_forwarded_as_received()
    {
        await ConnectedAsync(Device("a"), Device("b"));
        Status(DeviceState.Connecting, 1, Device("b"), "B");
        Status(DeviceState.Connecting, 2, Device("a"), "A");
        await AnswerAsync();
        await AnswerAsync();
        Assert.NotNull((await NextAsync()).Command);
        Assert.Equal(["status b B", "status a A"], Forwarded);
    }

    [Theory]
    [InlineData(7, 7)]
    [InlineData(9, 2)]
    [InlineData(0, 100)]
    public async Task C066_equal_or_gapped_counters_complete_the_sequence_and_normal_communication_adopts_what_follows(uint first, uint second)
    {
        await ConnectedAsync(Device("a"), Device("b"));
        Status(DeviceState.Connecting, first, Device("a"));
        Status(DeviceState.Connecting, second, Device("b"));
        Assert.Equal((first, second), (await AnswerAsync(), await AnswerAsync()));
        Respond((await NextAsync()).Command.MessageCounter);
        Respond((await NextAsync()).Command.MessageCounter);
        Status(DeviceState.Running, 500, Device("a"));
        Assert.Equal(500u, await AnswerAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task C068_C069_silence_in_any_step_ends_in_ERROR_after_T_and_a_new_sequence_with_a_new_session_succeeds(int step)
    {
        Start();
        if (step > 0)
        {
            Connect(Device("a"));
            await NextAsync();
        }
        if (step > 1)
        {
            Status(DeviceState.Connecting, 1, Device("a"));
            await AnswerAsync();
            await NextAsync();
        }
        await AdvanceAsync(3.1);
        // Waiting for Connect is no failure: the car stays connected and subscribed.
        Assert.Equal(step == 0 ? CarState.Connected : CarState.Error, Car.State);
        if (step > 0) await NoteAsync();
        Session = "sess0002";
        await RunAsync(Device("a"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(77)]
    public async Task C070_first_status_in_any_state_but_CONNECTING_fails_the_sequence(int state)
    {
        await ConnectedAsync(Device("a"));
        Status((DeviceState)state, 1, Device("a"));
        await NoteAsync();
        await SettleAsync();
        Assert.Equal(CarState.Error, Car.State);
    }

    [Fact]
    public async Task C076_of_a_supported_and_an_unsupported_device_only_the_supported_ones_status_is_forwarded()
    {
        Start();
        await RunAsync(Device("a"), Device("x", type: 99), Device("y", module: 3));
        Assert.Equal(["status a first"], Forwarded);
    }

    [Fact]
    public async Task C077_without_a_connected_device_the_sequence_fails_when_first_commands_are_due()
    {
        await ConnectedAsync(Device("x", type: 99));
        Status(DeviceState.Connecting, 1, Device("x", type: 99));
        Assert.Equal(1u, await AnswerAsync());
        await NoteAsync();
        await SettleAsync();
        Assert.Equal(CarState.Error, Car.State);
        Assert.Equal("no device of the car was accepted", Car.LastFailure!.Reason);
    }

    [Fact]
    public async Task D5_device_that_the_module_refuses_is_answered_like_the_others()
    {
        Start();
        Module.Refuses = true;
        Connect(Device("a"));
        await NextAsync();
        Status(DeviceState.Connecting, 1, Device("a"));
        Assert.Equal(1u, await AnswerAsync());
        await LoggedAsync(4010);
    }

    [Fact]
    public async Task D14_modules_always_see_priority_0()
    {
        Start();
        await RunAsync(Device("a"));
        Assert.Equal("connected a 0", Module.Calls[0]);
        Assert.Equal(0u, Assert.Single(Car.Devices).Priority);
    }

    [Fact]
    public async Task Same_device_twice_in_one_Connect_counts_once()
    {
        await ConnectedAsync(Device("a"), Device("a"));
        Status(DeviceState.Connecting, 1, Device("a"));
        await AnswerAsync();
        Respond((await NextAsync()).Command.MessageCounter);
        await SettleAsync();
        Assert.Equal(CarState.Running, Car.State);
    }

    [Fact]
    public async Task Connect_that_lists_more_devices_than_allowed_is_refused()
    {
        Start(Defaults with { Limits = new FleetLimits { Devices = 2 } });
        Connect(Device("a"), Device("b"), Device("c"));
        await NothingMoreAsync();
        Assert.Contains("3 devices", Car.LastFailure!.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_in_the_command_phase_with_another_session_starts_over_at_once()
    {
        await ConnectedAsync(Device("a"));
        Status(DeviceState.Connecting, 1, Device("a"));
        await AnswerAsync();
        await NextAsync();
        Session = "sess0002";
        await RunAsync(Device("a"));
    }

    [Fact]
    public async Task Module_that_throws_ends_the_session_and_the_car_lives_on()
    {
        Expect(4003);
        Start();
        Module.Throws = true;
        Connect(Device("a"));
        await NoteAsync();
        await SettleAsync();
        Assert.Equal(("module fault", CarState.Error), (Car.LastFailure!.Reason, Car.State));
        Module.Throws = false;
        await RunAsync(Device("a"));
        Module.Throws = true;
        // Disconnecting throws as well: what was the session is gone all the same.
        Status(DeviceState.Running, 2, Device("a"));
        await NoteAsync();
        Module.Throws = false;
        await RunAsync(Device("a"));
        Assert.Single(Car.Devices);
    }
}
