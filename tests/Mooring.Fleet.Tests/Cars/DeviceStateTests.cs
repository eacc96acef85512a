using Google.Protobuf;
using Mooring.Fleet.Cars;
using Mooring.Fleet.Protocol;
using DeviceState = Mooring.Fleet.Protocol.Status.Types.DeviceState;

namespace Mooring.Fleet.Tests.Cars;

/// <summary>Statuses in normal communication, by state of the device.</summary>
public sealed class DeviceStateTests : CarTest
{
    private static readonly CarSettings Reference = Defaults with { ReferenceAnswers = true };

    private async Task<uint> AnswerAsync() => (await NextAsync()).StatusResponse.MessageCounter;

    private async Task IgnoredAsync(DeviceState state, Device device, int eventId)
    {
        Start(Reference);
        await RunAsync(Device("a"));
        var calls = Module.Calls.Count;
        Status(state, 2, device);
        await NothingMoreAsync();
        Assert.Equal(calls, Module.Calls.Count);
        await LoggedAsync(eventId);
        // The session goes on.
        Status(DeviceState.Running, 3, Device("a"));
        Assert.Equal(3u, await AnswerAsync());
    }

    [Fact]
    public async Task C089_RUNNING_of_a_connected_device_is_answered_with_its_counter_and_the_device_stays()
    {
        Start();
        await RunAsync(Device("a"));
        Status(DeviceState.Running, 2, Device("a"), "data");
        Assert.Equal(2u, await AnswerAsync());
        Assert.Single(Car.Devices);
        Assert.Equal("status a data", Module.Calls[^1]);
    }

    [Fact]
    public async Task C090_several_RUNNING_are_answered_one_for_one()
    {
        Start();
        await RunAsync(Device("a"));
        for (var counter = 2u; counter < 200; counter++) Status(DeviceState.Running, counter, Device("a"));
        for (var counter = 2u; counter < 200; counter++) Assert.Equal(counter, await AnswerAsync());
        await NothingMoreAsync();
    }

    [Fact]
    public async Task C093_status_of_a_session_that_was_taken_over_is_not_answered_any_more()
    {
        Start();
        await RunAsync(Device("a"));
        var old = Session;
        Session = "sess0002";
        Connect(Device("a"));
        await NextAsync();
        Session = old;
        Status(DeviceState.Running, 2, Device("a"));
        await NothingMoreAsync();
    }

    [Fact]
    public Task C094_unknown_module_gets_a_warning_and_no_answer_as_in_the_original() =>
        IgnoredAsync(DeviceState.Running, Device("a", module: 7), 4008);

    [Fact]
    public Task C095_C101_RUNNING_of_an_unsupported_type_is_not_forwarded() =>
        IgnoredAsync(DeviceState.Running, Device("a", type: 99), 4008);

    [Fact]
    public Task C101_CONNECTING_of_an_unsupported_type_is_not_forwarded() =>
        IgnoredAsync(DeviceState.Connecting, Device("a", type: 99), 4008);

    [Fact]
    public Task C096_C100_RUNNING_of_a_device_that_is_not_connected_is_not_forwarded() =>
        IgnoredAsync(DeviceState.Running, Device("b"), 4011);

    [Fact]
    public Task C097_DISCONNECT_of_a_device_that_is_not_connected_has_no_effect() =>
        IgnoredAsync(DeviceState.Disconnect, Device("b"), 4011);

    [Fact]
    public Task D6_ERROR_and_repeated_CONNECTING_are_ignored_as_in_the_original_when_asked_for() =>
        IgnoredAsync(DeviceState.Error, Device("a"), 4011);

    [Theory]
    [InlineData(2, "a")]
    [InlineData(9, "a")]
    [InlineData(1, "b")]
    [InlineData(3, "b")]
    public async Task D6_states_that_nobody_takes_are_answered_so_that_a_gateway_stays_connected(int state, string role)
    {
        Start();
        await RunAsync(Device("a"));
        var calls = Module.Calls.Count;
        Status((DeviceState)state, 2, Device(role));
        Assert.Equal(2u, await AnswerAsync());
        Assert.Equal(calls, Module.Calls.Count);
        Assert.Equal(1, Car.Counters.StatusesIgnored);
    }

    [Fact]
    public async Task D6_CONNECTING_of_a_connected_device_is_treated_like_RUNNING()
    {
        Start();
        await RunAsync(Device("a"));
        Status(DeviceState.Connecting, 2, Device("a"), "again");
        Assert.Equal(2u, await AnswerAsync());
        Assert.Equal("status a again", Module.Calls[^1]);
    }

    [Fact]
    public async Task C098_CONNECTING_of_a_disconnected_device_connects_it_again()
    {
        Start();
        await RunAsync(Device("a"), Device("b"));
        Status(DeviceState.Disconnect, 3, Device("b"));
        Status(DeviceState.Connecting, 4, Device("b"), "back");
        Assert.Equal((3u, 4u), (await AnswerAsync(), await AnswerAsync()));
        Assert.Equal(2, Car.Devices.Count);
        Assert.Equal(["connected b 0", "status b back"], Module.Calls[^2..]);
    }

    [Fact]
    public async Task C099_RUNNING_of_a_device_that_connected_later_flows()
    {
        Start();
        await RunAsync(Device("a"));
        Status(DeviceState.Connecting, 2, Device("b"));
        Status(DeviceState.Running, 3, Device("b"), "flows");
        Assert.Equal((2u, 3u), (await AnswerAsync(), await AnswerAsync()));
        Assert.Equal("status b flows", Module.Calls[^1]);
    }

    [Fact]
    public async Task C103_DISCONNECT_twice_has_no_further_effect()
    {
        Start();
        await RunAsync(Device("a"), Device("b"));
        Status(DeviceState.Disconnect, 3, Device("b"));
        Status(DeviceState.Disconnect, 4, Device("b"));
        await AnswerAsync();
        await AnswerAsync();
        Assert.Single(Module.Calls, "disconnected b announced");
    }

    [Fact]
    public async Task C104_after_DISCONNECT_of_one_device_only_the_others_statuses_are_forwarded()
    {
        Start();
        await RunAsync(Device("a"), Device("b"));
        Status(DeviceState.Disconnect, 3, Device("b"));
        Status(DeviceState.Running, 4, Device("b"), "late");
        Status(DeviceState.Running, 5, Device("a"), "fine");
        for (var counter = 3u; counter <= 5; counter++) Assert.Equal(counter, await AnswerAsync());
        Assert.DoesNotContain("status b late", Module.Calls);
        Assert.Equal("status a fine", Module.Calls[^1]);
    }

    [Fact]
    public async Task C109_device_refused_by_its_module_in_normal_communication_is_answered_and_not_connected()
    {
        Start();
        await RunAsync(Device("a"));
        Module.Refuses = true;
        Status(DeviceState.Connecting, 2, Device("b"));
        Assert.Equal(2u, await AnswerAsync());
        Assert.Single(Car.Devices);
    }

    [Fact]
    public async Task C162_devices_are_told_apart_by_module_type_and_role_and_not_by_name_and_priority()
    {
        Start();
        await RunAsync(Device("a"), Device("a", type: 1));
        var renamed = Device("a");
        (renamed.DeviceName, renamed.Priority) = ("other name", 9);
        Status(DeviceState.Running, 3, renamed, "same device");
        Assert.Equal(3u, await AnswerAsync());
        Assert.Equal("status a same device", Module.Calls[^1]);
        Status(DeviceState.Disconnect, 4, renamed);
        await AnswerAsync();
        await SettleAsync();
        Assert.Equal(1u, Assert.Single(Car.Devices).DeviceType);
    }

    [Fact]
    public void C163_module_number_without_a_name_survives_as_a_number()
    {
        var command = ExternalServer.Parser.ParseFrom(new ExternalServer
        {
            Command = new Command { DeviceCommand = new DeviceCommand { Device = Device("a", type: 4, module: 1001) } },
        }.ToByteArray());
        var device = command.Command.DeviceCommand.Device;
        Assert.Equal((1001, 4u, "a", "n", 4u), ((int)device.Module, device.DeviceType, device.DeviceRole, device.DeviceName, device.Priority));
    }

    [Fact]
    public async Task Status_without_a_device_is_answered_and_reaches_no_module()
    {
        Start();
        await RunAsync(Device("a"));
        Send(new ExternalClient { Status = new Status { SessionId = Session, MessageCounter = 2, DeviceState = DeviceState.Running } });
        Assert.Equal(2u, await AnswerAsync());
        await LoggedAsync(4008);
    }

    [Fact]
    public async Task D4_late_first_status_is_waited_for_and_not_lost()
    {
        Start();
        await RunAsync(Device("a"));
        Status(DeviceState.Running, 3, Device("a"));
        await NothingMoreAsync();
        Status(DeviceState.Running, 2, Device("a"));
        Assert.Equal((2u, 3u), (await AnswerAsync(), await AnswerAsync()));
    }

    [Fact]
    public async Task D4_with_reference_order_the_first_status_defines_the_numbering()
    {
        Start(Defaults with { ReferenceOrder = true });
        await RunAsync(Device("a"));
        Status(DeviceState.Running, 40, Device("a"));
        Assert.Equal(40u, await AnswerAsync());
    }
}
