using Mooring.Fleet.Cars;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.Protocol;
using DeviceState = Mooring.Fleet.Protocol.Status.Types.DeviceState;
using ResponseType = Mooring.Fleet.Protocol.CommandResponse.Types.Type;

namespace Mooring.Fleet.Tests.Cars;

public sealed class NormalCommunicationTests : CarTest
{
    private async Task<uint> AnswerAsync() => (await NextAsync()).StatusResponse.MessageCounter;

    [Fact]
    public async Task C091_statuses_2_3_1_are_answered_1_2_3()
    {
        Start();
        await RunAsync(Device("a"));
        Status(DeviceState.Running, 3, Device("a"));
        Status(DeviceState.Running, 4, Device("a"));
        Status(DeviceState.Running, 2, Device("a"));
        for (var counter = 2u; counter <= 4; counter++) Assert.Equal(counter, await AnswerAsync());
    }

    [Fact]
    public async Task C092_foreign_session_is_ignored()
    {
        Start();
        await RunAsync(Device("a"));
        Session = "other";
        Status(DeviceState.Running, 2, Device("a"));
        await NothingMoreAsync();
    }

    [Fact]
    public async Task C094_to_C097_reference_answers_give_untaken_statuses_no_answer()
    {
        Start(Defaults with { ReferenceAnswers = true });
        await RunAsync(Device("a"));
        Status(DeviceState.Running, 2, Device("x", module: 7));
        Status(DeviceState.Running, 3, Device("x", type: 99));
        Status(DeviceState.Running, 4, Device("b"));
        Status(DeviceState.Disconnect, 5, Device("b"));
        await NothingMoreAsync();
    }

    [Fact]
    public async Task D6_untaken_statuses_are_answered_and_not_forwarded()
    {
        Start();
        await RunAsync(Device("a"));
        Status(DeviceState.Running, 2, Device("x", module: 7));
        Status(DeviceState.Error, 3, Device("a"), "bad");
        for (var counter = 2u; counter <= 3; counter++) Assert.Equal(counter, await AnswerAsync());
        Assert.DoesNotContain("status a bad", Module.Calls);
    }

    [Fact]
    public async Task C099_new_device_connects_and_C102_leaves()
    {
        Start();
        await RunAsync(Device("a"));
        Status(DeviceState.Connecting, 2, Device("b"), "hello");
        await AnswerAsync();
        Assert.Equal(2, Car.Devices.Count);
        Status(DeviceState.Disconnect, 3, Device("b"));
        await AnswerAsync();
        await SettleAsync();
        Assert.Equal(["connected b 0", "status b hello", "status b x", "disconnected b announced"], Module.Calls[^4..]);
    }

    [Fact]
    public async Task C105_when_the_last_device_leaves_the_session_ends_and_a_new_one_is_accepted()
    {
        Start();
        await RunAsync(Device("a"));
        Status(DeviceState.Disconnect, 2, Device("a"));
        await AnswerAsync();
        await NoteAsync();
        await RunAsync(Device("a"));
    }

    [Fact]
    public async Task C106_error_bytes_are_forwarded_and_C107_empty_ones_are_not()
    {
        Start();
        await RunAsync(Device("a"));
        Status(DeviceState.Running, 2, Device("a"), "s", error: "broken");
        Status(DeviceState.Running, 3, Device("a"), "t", error: "");
        await AnswerAsync();
        await AnswerAsync();
        Assert.Equal(["status a s", "error broken", "status a t"], Module.Calls[^3..]);
    }

    [Fact]
    public async Task C108_gap_that_stays_open_ends_the_session_after_T()
    {
        Start();
        await RunAsync(Device("a"));
        Status(DeviceState.Running, 3, Device("a"));
        await AdvanceAsync(3.1);
        await NoteAsync();
        Assert.Contains("status timeout", Car.LastFailure!.Reason, StringComparison.Ordinal);
        await RunAsync(Device("a"));
    }

    [Fact]
    public async Task C112_command_of_the_wrong_module_is_not_published()
    {
        Start();
        await RunAsync(Device("a"));
        Module.Give(Device("a", module: 5), "x");
        await NothingMoreAsync();
        await LoggedAsync(4012);
    }

    [Fact]
    public async Task C115_C124_commands_go_out_at_once_and_are_acknowledged_in_order()
    {
        Start();
        await RunAsync(Device("a"));
        foreach (var data in new[] { "1", "2", "3" }) Module.Give(Device("a"), data);
        for (var counter = 1u; counter <= 3; counter++) Assert.Equal(counter, (await NextAsync()).Command.MessageCounter);
        Respond(3);
        Respond(2);
        await SettleAsync();
        Assert.DoesNotContain(Module.Calls, c => c.StartsWith("ack", StringComparison.Ordinal));
        Respond(1);
        await SettleAsync();
        Assert.Equal(["ack 1", "ack 2", "ack 3"], Module.Calls[^3..]);
    }

    [Fact]
    public async Task C120_D10_not_connected_answer_disconnects_the_device_and_is_not_acknowledged()
    {
        Start();
        await RunAsync(Device("a"), Device("b"));
        Module.Give(Device("b"), "x");
        Respond((await NextAsync()).Command.MessageCounter, ResponseType.DeviceNotConnected);
        await SettleAsync();
        Assert.Equal("disconnected b announced", Module.Calls[^1]);
    }

    [Fact]
    public async Task C122_command_without_response_ends_the_session()
    {
        Start();
        await RunAsync(Device("a"));
        Module.Give(Device("a"), "x");
        await NextAsync();
        await AdvanceAsync(3.1);
        await NoteAsync();
        await RunAsync(Device("a"));
    }

    [Fact]
    public async Task C126_silence_ends_the_session_and_C132_the_same_id_can_be_used_again()
    {
        Start();
        await RunAsync(Device("a"));
        await AdvanceAsync(5.1);
        await NoteAsync();
        await RunAsync(Device("a"));
    }

    [Fact]
    public async Task C129_connect_with_the_current_session_is_already_logged()
    {
        Start();
        await RunAsync(Device("a"));
        Connect(Device("a"));
        Assert.Equal(ConnectResponse.Types.Type.AlreadyLogged, (await NextAsync()).ConnectResponse.Type);
        Assert.Equal(CarState.Running, Car.State);
    }

    [Fact]
    public async Task C130_D2_foreign_connect_starts_its_sequence_at_once()
    {
        Start();
        await RunAsync(Device("a"));
        Session = "sess0002";
        await RunAsync(Device("a"));
        Assert.Equal("sess0001", Assert.Single(Car.History).SessionId);
    }

    [Fact]
    public async Task C131_lost_broker_ends_the_session_and_the_note_follows_when_it_is_back()
    {
        Start();
        await RunAsync(Device("a"));
        Car.Post(new CarEvent(CarEventKind.LinkDown, Reason: "cut"));
        await NothingMoreAsync();
        Assert.Equal(CarState.Error, Car.State);
        Car.Post(new CarEvent(CarEventKind.LinkUp));
        // The gateway may still believe in the lost session.
        await NoteAsync();
        await RunAsync(Device("a"));
    }

    [Fact]
    public async Task C148_duplicates_get_no_second_answer()
    {
        Start();
        await RunAsync(Device("a"));
        Status(DeviceState.Running, 2, Device("a"));
        Status(DeviceState.Running, 2, Device("a"), "other");
        await AnswerAsync();
        await NothingMoreAsync();
    }

    [Fact]
    public async Task C149_D8_status_far_ahead_ends_the_session()
    {
        Start();
        await RunAsync(Device("a"));
        Status(DeviceState.Running, 1_000_000, Device("a"));
        await NoteAsync();
    }

    [Fact]
    public async Task Hostile_unparsable_oversized_and_empty_messages_are_refused()
    {
        Expect(4004);
        Start(Defaults with { Limits = new FleetLimits { MessageBytes = 100 } });
        await RunAsync(Device("a"));
        Car.Receive([0xFF, 0xFF, 0xFF]);
        Car.Receive(new byte[101]);
        Car.Receive([]);
        await NothingMoreAsync();
        Assert.Equal(2, Car.Counters.MessagesRefused);
        Assert.Equal(CarState.Running, Car.State);
    }

    [Fact]
    public async Task D21_stop_sends_the_note_disconnects_devices_then_destroys()
    {
        Start();
        await RunAsync(Device("a"));
        await Car.StopAsync("test").WaitAsync(TestTimeout);
        await NoteAsync();
        Assert.Equal(["disconnected a timeout", "destroy"], Module.Calls[^2..]);
        Assert.Equal(CarState.Stopped, Car.State);
    }
}
