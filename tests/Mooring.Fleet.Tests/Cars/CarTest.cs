using Google.Protobuf;
using Mooring.Fleet.Cars;
using Mooring.Fleet.Protocol;
using Mooring.Testing;
using DeviceState = Mooring.Fleet.Protocol.Status.Types.DeviceState;

namespace Mooring.Fleet.Tests.Cars;

/// <summary>One car, a fake broker, a fake module 1000, a clock that moves when told, and what a gateway sends.</summary>
public abstract class CarTest : MooringTest
{
    private int _next;

    private protected FakeMqtt Mqtt { get; } = new();

    private protected FakeModule Module { get; } = new(1000);

    private protected TestClock Clock { get; } = new();

    private protected string Session { get; set; } = "sess0001";

    private protected static CarSettings Defaults { get; } = new()
    {
        Company = "company",
        Name = "car",
        StepTimeout = TimeSpan.FromSeconds(3),
        SessionTimeout = TimeSpan.FromSeconds(5),
    };

    private protected Car Car { get; private set; } = null!;

    private protected Car Start(CarSettings? settings = null)
    {
        Car = new Car(settings ?? Defaults, [Module], m => Mqtt.EnqueueAsync(m), Clock, LoggerFactory.CreateLogger("car"));
        Car.Post(new CarEvent(CarEventKind.LinkUp));
        return Car;
    }

    private protected static Device Device(string role, uint type = 0, int module = 1000) =>
        new() { Module = (Device.Types.Module)module, DeviceType = type, DeviceRole = role, DeviceName = "n", Priority = 4 };

    private protected void Connect(params Device[] devices) => Send(new ExternalClient
    {
        Connect = new Connect { SessionId = Session, Company = "company", VehicleName = "car", Devices = { devices } },
    });

    private protected void Status(DeviceState state, uint counter, Device device, string data = "x", string? error = null)
    {
        var status = new Status
        {
            SessionId = Session,
            DeviceState = state,
            MessageCounter = counter,
            DeviceStatus = new DeviceStatus { Device = device, StatusData = ByteString.CopyFromUtf8(data) },
        };
        if (error is not null) status.ErrorMessage = ByteString.CopyFromUtf8(error);
        Send(new ExternalClient { Status = status });
    }

    private protected void Respond(uint counter, CommandResponse.Types.Type type = CommandResponse.Types.Type.Ok) =>
        Send(new ExternalClient { CommandResponse = new CommandResponse { SessionId = Session, MessageCounter = counter, Type = type } });

    private protected void Send(ExternalClient message) => Car.Receive(message.ToByteArray());

    /// <summary>The next message that the car published on its topic.</summary>
    private protected async Task<ExternalServer> NextAsync()
    {
        var all = await Mqtt.WhenPublishedAsync(_next + 1, TestTimeout);
        var message = all[_next++];
        Assert.Equal("company/car/external_server", message.Topic);
        Assert.Equal(Mooring.Mqtt.QualityOfService.AtLeastOnce, message.QualityOfService);
        return ExternalServer.Parser.ParseFrom(message.Payload.Span);
    }

    private protected async Task NoteAsync()
    {
        var message = (await Mqtt.WhenPublishedAsync(_next + 1, TestTimeout))[_next++];
        Assert.Equal("company/car/external_server_disconnect", message.Topic);
        Assert.Equal(0, message.Payload.Length);
        Assert.False(message.Retain);
    }

    /// <summary>Everything posted so far has been handled.</summary>
    private protected async Task SettleAsync()
    {
        var done = new TaskCompletionSource();
        Car.Post(new CarEvent(CarEventKind.Tick, Done: done));
        await done.Task.WaitAsync(TestTimeout);
    }

    private protected async Task AdvanceAsync(double seconds)
    {
        await SettleAsync();
        Clock.Advance(TimeSpan.FromSeconds(seconds));
        await SettleAsync();
    }

    /// <summary>A complete connect sequence; first statuses count from 1.</summary>
    private protected async Task RunAsync(params Device[] devices)
    {
        Connect(devices);
        Assert.Equal(ConnectResponse.Types.Type.Ok, (await NextAsync()).ConnectResponse.Type);
        for (var i = 0; i < devices.Length; i++)
        {
            Status(DeviceState.Connecting, (uint)i + 1, devices[i], "first");
            Assert.Equal((uint)i + 1, (await NextAsync()).StatusResponse.MessageCounter);
        }
        foreach (var _ in devices) Respond((await NextAsync()).Command.MessageCounter);
        await SettleAsync();
        Assert.Equal(CarState.Running, Car.State);
    }

    private protected async Task NothingMoreAsync()
    {
        await SettleAsync();
        Assert.Equal(_next, Mqtt.Published.Count);
    }
}
