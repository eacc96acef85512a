using Mooring.Fleet.Cars;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.Protocol;
using DeviceState = Mooring.Fleet.Protocol.Status.Types.DeviceState;
using ResponseType = Mooring.Fleet.Protocol.CommandResponse.Types.Type;

namespace Mooring.Fleet.Tests.Cars;

/// <summary>The first command of every device, and what ends the connect sequence.</summary>
public sealed class FirstCommandTests : CarTest
{
    /// <summary>Up to the last status response; nothing has been sent after it when this returns.</summary>
    private async Task AnsweredAsync(CarSettings? settings, Action? beforeLastStatus, params Device[] devices)
    {
        Start(settings);
        Connect(devices);
        await NextAsync();
        for (var i = 0; i < devices.Length; i++)
        {
            if (i == devices.Length - 1) beforeLastStatus?.Invoke();
            Status(DeviceState.Connecting, (uint)i + 1, devices[i]);
            await NextAsync();
        }
    }

    private async Task<(string Role, string Data)> CommandAsync()
    {
        var command = (await NextAsync()).Command.DeviceCommand;
        return (command.Device.DeviceRole, command.CommandData.ToStringUtf8());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task C071_C072_all_commands_answered_in_whatever_way_complete_the_sequence(int type)
    {
        await AnsweredAsync(null, null, Device("a"), Device("b"));
        Respond((await NextAsync()).Command.MessageCounter, (ResponseType)type);
        Assert.Equal(CarState.Connected, Car.State);
        Respond((await NextAsync()).Command.MessageCounter);
        await SettleAsync();
        Assert.Equal(CarState.Running, Car.State);
        Assert.Equal(2, Car.Devices.Count);
    }

    [Fact]
    public async Task C073_command_responses_in_any_order_complete_the_sequence_and_are_acknowledged_in_order()
    {
        await AnsweredAsync(null, () =>
        {
            Module.Give(Device("a"), "A");
            Module.Give(Device("b"), "B");
        }, Device("a"), Device("b"));
        var counters = new[] { (await NextAsync()).Command.MessageCounter, (await NextAsync()).Command.MessageCounter };
        Respond(counters[1]);
        Respond(counters[0]);
        await SettleAsync();
        Assert.Equal(CarState.Running, Car.State);
        Assert.Equal(["ack A", "ack B"], Module.Calls[^2..]);
    }

    [Fact]
    public async Task C081_of_several_commands_the_oldest_of_each_device_is_sent_in_order_before_the_empty_ones()
    {
        await AnsweredAsync(null, () =>
        {
            Module.Give(Device("b"), "b1");
            Module.Give(Device("a"), "a1");
            Module.Give(Device("b"), "b2");
            Module.Give(Device("a"), "a2");
        }, Device("a"), Device("b"), Device("c"));
        Assert.Equal([("b", "b1"), ("a", "a1"), ("c", "")], [await CommandAsync(), await CommandAsync(), await CommandAsync()]);
        await NothingMoreAsync();
    }

    [Fact]
    public async Task C082_no_first_command_for_a_device_that_is_not_connected()
    {
        await AnsweredAsync(null, () => Module.Give(Device("nobody"), "x"), Device("a"));
        Assert.Equal(("a", ""), await CommandAsync());
        await NothingMoreAsync();
        Assert.Equal(1, Car.Counters.CommandsUndelivered);
    }

    [Fact]
    public async Task C084_command_response_of_a_foreign_session_is_not_accepted_in_the_sequence()
    {
        await AnsweredAsync(null, null, Device("a"));
        var counter = (await NextAsync()).Command.MessageCounter;
        var own = Session;
        Session = "foreign0";
        Respond(counter);
        await SettleAsync();
        Assert.Equal(CarState.Connected, Car.State);
        Session = own;
        Respond(counter);
        await SettleAsync();
        Assert.Equal(CarState.Running, Car.State);
    }

    [Fact]
    public async Task C086_command_that_comes_after_the_first_device_connected_becomes_the_first_command()
    {
        Start();
        Module.Give(Device("a"), "stale");
        await SettleAsync();
        Connect(Device("a"));
        await NextAsync();
        Module.Give(Device("a"), "fresh");
        Status(DeviceState.Connecting, 1, Device("a"));
        await NextAsync();
        Assert.Equal(("a", "fresh"), await CommandAsync());
    }

    [Fact]
    public async Task C087_no_command_before_the_last_status_response()
    {
        Start();
        Connect(Device("a"), Device("b"));
        await NextAsync();
        Module.Give(Device("a"), "x");
        Status(DeviceState.Connecting, 1, Device("a"));
        Assert.NotNull((await NextAsync()).StatusResponse);
        await NothingMoreAsync();
        Status(DeviceState.Connecting, 2, Device("b"));
        Assert.NotNull((await NextAsync()).StatusResponse);
        Assert.NotNull((await NextAsync()).Command);
    }

    [Fact]
    public async Task C088_many_waiting_commands_do_not_disturb_the_sequence()
    {
        Start();
        for (var i = 0; i < 500; i++) Module.Give(Device("a"), $"old {i}");
        await RunAsync(Device("a"));
        await NothingMoreAsync();
    }

    [Fact]
    public async Task C159_while_no_device_of_the_module_is_connected_only_the_newest_command_is_kept()
    {
        Start();
        for (var i = 0; i < 5; i++) Module.Give(Device("a"), $"old {i}");
        await SettleAsync();
        Assert.Equal(4, Car.Counters.CommandsUndelivered);
    }

    [Fact]
    public async Task Command_of_the_wrong_module_does_not_take_the_place_of_a_first_command()
    {
        await AnsweredAsync(null, () => Module.Give(Device("a", module: 5), "x"), Device("a"));
        Assert.Equal(("a", ""), await CommandAsync());
        await LoggedAsync(4012);
    }

    [Fact]
    public async Task D10_D11_with_policy_newest_the_last_command_of_each_device_survives_being_offline()
    {
        var settings = Defaults with { Offline = OfflinePolicy.Newest };
        Start(settings);
        foreach (var data in new[] { "1", "2", "3" }) Module.Give(Device("a"), data);
        Module.Give(Device("b"), "B");
        await SettleAsync();
        Connect(Device("a"), Device("b"));
        await NextAsync();
        for (var i = 1u; i <= 2; i++)
        {
            Status(DeviceState.Connecting, i, Device(i == 1 ? "a" : "b"));
            await NextAsync();
        }
        Assert.Equal([("a", "3"), ("b", "B")], [await CommandAsync(), await CommandAsync()]);
    }

    [Fact]
    public async Task D11_with_policy_keep_N_the_newest_N_are_delivered_in_order()
    {
        Start(Defaults with { Offline = OfflinePolicy.Keep, KeptCommandsMax = 2 });
        foreach (var data in new[] { "1", "2", "3" }) Module.Give(Device("a"), data);
        await SettleAsync();
        Connect(Device("a"));
        await NextAsync();
        Status(DeviceState.Connecting, 1, Device("a"));
        await NextAsync();
        var first = (await NextAsync()).Command;
        Assert.Equal("2", first.DeviceCommand.CommandData.ToStringUtf8());
        Respond(first.MessageCounter);
        Assert.Equal(("a", "3"), await CommandAsync());
    }

    [Fact]
    public async Task D10_command_without_answer_is_sent_again_in_the_next_session_when_the_policy_keeps_it()
    {
        Start(Defaults with { Offline = OfflinePolicy.Newest });
        await RunAsync(Device("a"));
        Module.Give(Device("a"), "wanted");
        await NextAsync();
        Session = "sess0002";
        Connect(Device("a"));
        await NextAsync();
        Status(DeviceState.Connecting, 1, Device("a"));
        await NextAsync();
        Assert.Equal(("a", "wanted"), await CommandAsync());
    }
}
