using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Mooring.Fleet.Protocol;
using Mooring.Fleet.Tests.Cars;
using Mooring.Fleet.VirtualCars;
using Mooring.Kernel.Links;
using Mooring.Testing;

namespace Mooring.Fleet.Tests.VirtualCars;

/// <summary>One virtual car on a clock that the test moves, and the test as its server.</summary>
public abstract class VirtualCarTest : MooringTest
{
    private int _read;

    private protected TestClock Clock { get; } = new();

    private protected FakeMqtt Mqtt { get; } = new();

    private protected VirtualCarOptions Options { get; set; } = new()
    {
        Company = "company",
        Devices = [new VirtualDeviceOptions(VirtualDeviceKind.Echo, "echo")],
        StatusesPerSecond = 0,
    };

    private protected VirtualFleet Fleet { get; private set; } = null!;

    private protected void Start()
    {
        Fleet = Own(new VirtualFleet(Options, _ => Mqtt, Clock, LoggerFactory.CreateLogger<VirtualFleet>()));
        Fleet.Start();
    }

    private protected async Task<ExternalClient> NextAsync()
    {
        var published = await Mqtt.WhenPublishedAsync(++_read, TestTimeout);
        Assert.Equal("company/car1/module_gateway", published[_read - 1].Topic);
        return ExternalClient.Parser.ParseFrom(published[_read - 1].Payload.Span);
    }

    private protected async Task<Connect> ConnectAsync() => Assert.IsType<Connect>((await NextAsync()).Connect);

    private protected async Task<Status> StatusAsync() => Assert.IsType<Status>((await NextAsync()).Status);

    private protected async Task<CommandResponse> CommandResponseAsync() => Assert.IsType<CommandResponse>((await NextAsync()).CommandResponse);

    /// <summary>True when nothing was sent that the test has not read.</summary>
    private protected bool IsQuiet => Mqtt.Published.Count == _read;

    private protected ValueTask SendAsync(ExternalServer message) =>
        Mqtt.DeliverAsync("company/car1/external_server", message.ToByteArray());

    private protected ValueTask SendNoteAsync() => Mqtt.DeliverAsync("company/car1/external_server_disconnect", []);

    private protected ValueTask AcceptAsync(string session) =>
        SendAsync(new ExternalServer { ConnectResponse = new ConnectResponse { SessionId = session } });

    private protected ValueTask AnswerAsync(string session, uint counter) =>
        SendAsync(new ExternalServer { StatusResponse = new StatusResponse { SessionId = session, MessageCounter = counter } });

    private protected ValueTask CommandAsync(string session, uint counter, Device device, string data = "") => SendAsync(new ExternalServer
    {
        Command = new Command
        {
            SessionId = session,
            MessageCounter = counter,
            DeviceCommand = new DeviceCommand { Device = device, CommandData = ByteString.CopyFromUtf8(data) },
        },
    });

    /// <summary>Plays the server's part of a connect sequence; first commands are numbered from <paramref name="command"/>.</summary>
    private protected async Task<string> RunAsync(uint command = 0)
    {
        var connect = await ConnectAsync();
        await AcceptAsync(connect.SessionId);
        foreach (var _ in connect.Devices) await AnswerAsync(connect.SessionId, (await StatusAsync()).MessageCounter);
        foreach (var device in connect.Devices)
        {
            await CommandAsync(connect.SessionId, command, device);
            Assert.Equal(command++, (await CommandResponseAsync()).MessageCounter);
        }
        await Fleet.WhenRunningAsync(1, TestTimeout);
        return connect.SessionId;
    }

    /// <summary>Lets time pass; between any two rings of the car's timer the car gets to wait again.</summary>
    private protected async Task PassAsync(TimeSpan time)
    {
        var end = Clock.GetUtcNow() + time;
        while (true)
        {
            await Clock.WhenTimersAsync(1, TestTimeout);
            var left = end - Clock.GetUtcNow();
            if (Clock.Waits is not [var wait, ..]) continue;
            Clock.Advance(wait < left ? wait : left);
            if (wait > left || left == TimeSpan.Zero) return;
        }
    }

    private protected Task PassAsync(double seconds) => PassAsync(TimeSpan.FromSeconds(seconds));

    /// <summary>The reason for which the session ended.</summary>
    private protected async Task<string> EndAsync(string session)
    {
        var start = $"Virtual car car1: session {session} ended: ";
        var line = await Log.WhenAsync(e => e.Event.Id == 4301 && e.Message.StartsWith(start, StringComparison.Ordinal), TestTimeout);
        return line.Message[start.Length..];
    }

    private protected void MoveLink(LinkState to) => Mqtt.Move(to);
}
