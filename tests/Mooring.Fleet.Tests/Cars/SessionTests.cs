using Mooring.Fleet.Cars;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.Protocol;
using DeviceState = Mooring.Fleet.Protocol.Status.Types.DeviceState;

namespace Mooring.Fleet.Tests.Cars;

/// <summary>What keeps a session alive, what ends it, and what a hostile gateway can do to it.</summary>
public sealed class SessionTests : CarTest
{
    private async Task<uint> AnswerAsync() => (await NextAsync()).StatusResponse.MessageCounter;

    [Fact]
    public async Task C127_status_in_time_keeps_the_session()
    {
        Start();
        await RunAsync(Device("a"));
        for (var counter = 2u; counter < 6; counter++)
        {
            await AdvanceAsync(4.9);
            Status(DeviceState.Running, counter, Device("a"));
            Assert.Equal(counter, await AnswerAsync());
        }
        Assert.Equal(CarState.Running, Car.State);
    }

    [Fact]
    public async Task C127_command_response_in_time_keeps_the_session()
    {
        Start(Defaults with { StepTimeout = TimeSpan.FromSeconds(30) });
        await RunAsync(Device("a"));
        for (var i = 0; i < 3; i++)
        {
            Module.Give(Device("a"), "x");
            var command = (await NextAsync()).Command;
            await AdvanceAsync(4.9);
            Respond(command.MessageCounter);
            await SettleAsync();
        }
        Assert.Equal(CarState.Running, Car.State);
    }

    [Fact]
    public async Task C128_foreign_messages_a_repeated_Connect_and_unparsable_ones_do_not_keep_the_session()
    {
        Expect(4004);
        Start();
        await RunAsync(Device("a"));
        await AdvanceAsync(4.9);
        Connect(Device("a"));
        Assert.Equal(ConnectResponse.Types.Type.AlreadyLogged, (await NextAsync()).ConnectResponse.Type);
        Car.Receive([0xFF]);
        Car.Receive([]);
        var own = Session;
        Session = "foreign0";
        Status(DeviceState.Running, 2, Device("a"));
        Respond(0);
        Session = own;
        await AdvanceAsync(0.2);
        await NoteAsync();
        Assert.Contains("session timeout", Car.LastFailure!.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task C031_note_is_empty_and_sent_once_at_every_end_of_a_session_but_not_while_idle()
    {
        Start();
        await AdvanceAsync(60);
        await NothingMoreAsync();
        await RunAsync(Device("a"));
        await AdvanceAsync(5.1);
        await NoteAsync();
        await AdvanceAsync(60);
        await NothingMoreAsync();
    }

    [Fact]
    public async Task C130_end_by_a_foreign_Connect_sends_no_note_that_would_end_the_new_sequence()
    {
        Start();
        await RunAsync(Device("a"));
        Session = "sess0002";
        Connect(Device("a"));
        Assert.Equal("sess0002", (await NextAsync()).ConnectResponse.SessionId);
        Assert.Contains("disconnected a timeout", Module.Calls);
    }

    [Fact]
    public async Task C133_message_without_content_is_ignored()
    {
        Start();
        await RunAsync(Device("a"));
        Send(new ExternalClient());
        await NothingMoreAsync();
        await LoggedAsync(4006);
        Assert.Equal(CarState.Running, Car.State);
    }

    [Fact]
    public async Task C134_session_timer_runs_in_normal_communication_only_and_a_session_restarts_it()
    {
        Start(Defaults with { StepTimeout = TimeSpan.FromSeconds(30) });
        Connect(Device("a"));
        await NextAsync();
        await AdvanceAsync(20);
        Status(DeviceState.Connecting, 1, Device("a"));
        await AnswerAsync();
        var command = (await NextAsync()).Command;
        await AdvanceAsync(20);
        Respond(command.MessageCounter);
        await AdvanceAsync(4.9);
        Assert.Equal(CarState.Running, Car.State);
        await AdvanceAsync(0.2);
        await NoteAsync();
    }

    [Fact]
    public async Task ERROR_is_shown_for_a_while_and_then_the_car_listens_again()
    {
        Start();
        await RunAsync(Device("a"));
        await AdvanceAsync(5.1);
        await NoteAsync();
        Assert.Equal(CarState.Error, Car.State);
        await AdvanceAsync(1.1);
        Assert.Equal(CarState.Connected, Car.State);
        Assert.Contains("session timeout", Car.LastFailure!.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task History_keeps_the_last_sessions_with_their_reasons()
    {
        Start(Defaults with { Limits = new FleetLimits { History = 2 } });
        for (var i = 0; i < 4; i++)
        {
            Session = $"s{i}";
            await RunAsync(Device("a"));
        }
        await AdvanceAsync(5.1);
        Assert.Equal(["s2", "s3"], Car.History.Select(s => s.SessionId));
        Assert.Equal(
            ["the car connected with another session", "session timeout: no status and no command response"],
            Car.History.Select(s => s.Reason));
    }

    [Fact]
    public async Task Car_that_sends_far_more_than_its_share_is_cut_to_it_and_logged_once_a_second()
    {
        Expect(4004);
        Start(Defaults with { Limits = new FleetLimits { MessagesPerSecond = 10 } });
        await RunAsync(Device("a"));
        Clock.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 1000; i++) Car.Receive([]);
        await SettleAsync();
        Assert.Equal(990, Car.Counters.MessagesRefused);
        Assert.Single(Log.Entries, e => e.Event.Id == 4004);
        // A second later it has its share again.
        Clock.Advance(TimeSpan.FromSeconds(1));
        Status(DeviceState.Running, 2, Device("a"));
        Assert.Equal(2u, await AnswerAsync());
    }

    [Fact]
    public async Task Mailbox_is_bounded_while_a_module_does_not_return()
    {
        Start(Defaults with { Limits = new FleetLimits { MailboxMessages = 8 } });
        await RunAsync(Device("a"));
        Module.Hangs = true;
        for (var counter = 2u; counter < 100; counter++) Status(DeviceState.Running, counter, Device("a"));
        await LoggedAsync(4005);
        Assert.InRange(Car.Counters.MessagesDropped, 80, 98);
    }

    [Fact]
    public async Task Random_and_mutated_bytes_never_harm_the_session()
    {
        Expect(4004);
        Start(Defaults with { Limits = new FleetLimits { MessagesPerSecond = 1_000_000, MailboxMessages = 1_000_000 } });
        await RunAsync(Device("a"));
        var random = new Random(20260101);
        var valid = Google.Protobuf.MessageExtensions.ToByteArray(new ExternalClient
        {
            Status = new Status
            {
                SessionId = "foreign0", MessageCounter = 7, DeviceState = DeviceState.Running,
                DeviceStatus = new DeviceStatus { Device = Device("a") },
            },
        });
        for (var i = 0; i < 20_000; i++)
        {
            byte[] bytes = [.. valid];
            if (i % 2 == 0) random.NextBytes(bytes);
            else bytes[random.Next(3, 12)] ^= (byte)(1 << random.Next(8));
            Car.Receive(bytes.AsSpan(0, random.Next(bytes.Length + 1)));
        }
        await SettleAsync();
        Assert.Equal(CarState.Running, Car.State);
    }

    [Fact]
    public async Task Stop_in_ERROR_ends_STOPPED_and_nothing_is_handled_after_it()
    {
        Start();
        await RunAsync(Device("a"));
        await AdvanceAsync(5.1);
        await NoteAsync();
        await Car.StopAsync("test").WaitAsync(TestTimeout);
        Assert.Equal(CarState.Stopped, Car.State);
        Connect(Device("a"));
        await NothingMoreAsync();
    }

    [Fact]
    public async Task Module_that_throws_while_it_is_destroyed_does_not_keep_the_car_from_stopping()
    {
        Expect(4003);
        Start();
        await RunAsync(Device("a"));
        Module.Throws = true;
        await Car.StopAsync("test").WaitAsync(TestTimeout);
        Assert.Equal(CarState.Stopped, Car.State);
    }
}
