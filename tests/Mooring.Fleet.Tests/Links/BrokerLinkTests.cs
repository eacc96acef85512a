using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Mooring.Fleet.Cars;
using Mooring.Fleet.Links;
using Mooring.Fleet.Protocol;
using Mooring.Fleet.Tests.Cars;
using Mooring.Kernel.Links;
using Mooring.Testing;

namespace Mooring.Fleet.Tests.Links;

/// <summary>A link between cars and a broker that comes, goes and refuses.</summary>
public sealed class BrokerLinkTests : MooringTest
{
    private readonly Queue<FakeMqtt> _clients = new();
    private readonly TestClock _clock = new();

    private static byte[] ConnectBytes(string session) => new ExternalClient
    {
        Connect = new Connect { SessionId = session, Devices = { new Device { Module = (Device.Types.Module)1000, DeviceRole = "a" } } },
    }.ToByteArray();

    private FakeMqtt Next(string? refusal = null, bool isUnreachable = false)
    {
        var client = new FakeMqtt { Refusal = refusal, IsUnreachable = isUnreachable };
        _clients.Enqueue(client);
        return client;
    }

    private (BrokerLink Link, Car Car) Attach(string company = "company", string name = "car")
    {
        var link = Own(new BrokerLink(_clients.Dequeue, _clock, LoggerFactory.CreateLogger("link")));
        var settings = new CarSettings { Company = company, Name = name };
        var car = new Car(settings, [new FakeModule(1000)], link.PublishAsync, _clock, LoggerFactory.CreateLogger("car"));
        _ = link.AttachAsync(car);
        link.Start();
        return (link, car);
    }

    private async Task SettleAsync(Car car)
    {
        var done = new TaskCompletionSource();
        car.Post(new CarEvent(CarEventKind.Tick, Done: done));
        await done.Task.WaitAsync(TestTimeout);
    }

    [Theory]
    [InlineData("company", "car", "company/car/module_gateway", "company/car/external_server")]
    [InlineData("", "car", "/car/module_gateway", "/car/external_server")]
    [InlineData("company", "", "company//module_gateway", "company//external_server")]
    [InlineData("", "", "//module_gateway", "//external_server")]
    public async Task C001_C002_topics_are_formed_of_company_and_car_even_when_empty(
        string company, string name, string subscribed, string published)
    {
        var mqtt = Next();
        var (_, car) = Attach(company, name);
        await SettleAsync(car);
        await mqtt.DeliverAsync(subscribed, ConnectBytes("s"));
        Assert.Equal(published, (await mqtt.WhenPublishedAsync(1, TestTimeout))[0].Topic);
    }

    [Fact]
    public void C004_new_link_is_not_connected_and_says_so()
    {
        Next();
        var link = Own(new BrokerLink(_clients.Dequeue, _clock, LoggerFactory.CreateLogger("link")));
        Assert.Equal("not connected yet", link.Problem);
    }

    [Fact]
    public async Task C005_C050_without_a_broker_each_attempt_is_a_warning_and_the_car_shows_why_and_goes_on()
    {
        var mqtt = Next(isUnreachable: true);
        var (link, car) = Attach();
        mqtt.Move(LinkState.Connecting);
        mqtt.Move(LinkState.Waiting);
        await LoggedAsync(4101);
        await SettleAsync(car);
        Assert.Equal(CarState.Error, car.State);
        Assert.Equal("could not connect to the broker: test", car.LastFailure!.Reason);
        Assert.NotNull(link.Problem);
        mqtt.Move(LinkState.Connecting);
        mqtt.Move(LinkState.Waiting);
        Assert.Equal(2, Log.Entries.Count(e => e.Event.Id == 4101));
        mqtt.Move(LinkState.Up);
        await SettleAsync(car);
        Assert.Equal((CarState.Connected, null), (car.State, link.Problem));
    }

    [Fact]
    public async Task C006_C016_C026_connected_link_is_logged_and_hands_on_every_message()
    {
        var mqtt = Next();
        var (_, car) = Attach();
        await LoggedAsync(4103);
        await SettleAsync(car);
        Assert.Equal(CarState.Connected, car.State);
        await mqtt.DeliverAsync("company/car/module_gateway", ConnectBytes("s"));
        await mqtt.WhenPublishedAsync(1, TestTimeout);
        Assert.Equal("s", car.SessionId);
    }

    [Fact]
    public async Task C017_C019_empty_and_unparsable_payloads_leave_the_session_alone()
    {
        Expect(4004);
        var mqtt = Next();
        var (_, car) = Attach();
        await mqtt.DeliverAsync("company/car/module_gateway", ConnectBytes("s"));
        await mqtt.DeliverAsync("company/car/module_gateway", []);
        await mqtt.DeliverAsync("company/car/module_gateway", [0xFF, 0x01]);
        await SettleAsync(car);
        await LoggedAsync(4006);
        await LoggedAsync(4004);
        Assert.Equal("s", car.SessionId);
        Assert.Empty(car.History);
    }

    [Fact]
    public async Task C018_message_on_another_topic_is_not_taken()
    {
        var mqtt = Next();
        var (_, car) = Attach();
        await mqtt.DeliverAsync("company/other/module_gateway", ConnectBytes("s"));
        await SettleAsync(car);
        Assert.Equal("", car.SessionId);
    }

    [Fact]
    public async Task C012_C013_C131_after_disconnect_and_reconnect_messages_are_received_again()
    {
        var mqtt = Next();
        var (_, car) = Attach();
        await mqtt.DeliverAsync("company/car/module_gateway", ConnectBytes("s1"));
        await mqtt.WhenPublishedAsync(1, TestTimeout);
        mqtt.Move(LinkState.Waiting);
        await SettleAsync(car);
        Assert.Equal((CarState.Error, "the broker was lost: test"), (car.State, Assert.Single(car.History).Reason));
        Assert.Equal(LogLevel.Warning, (await LoggedAsync(4102)).Level);
        mqtt.Move(LinkState.Connecting);
        mqtt.Move(LinkState.Up);
        var note = (await mqtt.WhenPublishedAsync(2, TestTimeout))[1];
        Assert.Equal(("company/car/external_server_disconnect", 0), (note.Topic, note.Payload.Length));
        await mqtt.DeliverAsync("company/car/module_gateway", ConnectBytes("s2"));
        await mqtt.WhenPublishedAsync(3, TestTimeout);
        Assert.Equal("s2", car.SessionId);
    }

    [Fact]
    public async Task C008_C028_D19_refused_link_is_an_error_and_a_new_client_is_tried_later()
    {
        Expect(4100);
        var refused = Next(refusal: "bad user name or password");
        var second = Next();
        var (link, car) = Attach();
        await LoggedAsync(4100);
        await SettleAsync(car);
        Assert.Equal((CarState.Error, "the broker refused: bad user name or password"), (car.State, car.LastFailure!.Reason));
        Assert.Equal("the broker refused: bad user name or password", link.Problem);
        await _clock.WhenTimerDueInAsync(BrokerLink.RefusedDelay, TestTimeout);
        _clock.Advance(BrokerLink.RefusedDelay);
        await LoggedAsync(4103);
        Assert.True(refused.IsDisposed);
        await second.DeliverAsync("company/car/module_gateway", ConnectBytes("s"));
        await second.WhenPublishedAsync(1, TestTimeout);
        Assert.Equal("s", car.SessionId);
    }

    [Fact]
    public async Task C009_C010_C011_stop_may_come_before_after_and_twice()
    {
        Next(isUnreachable: true);
        var (link, _) = Attach();
        await link.StopAsync(TimeSpan.Zero).WaitAsync(TestTimeout);
        await link.StopAsync(TimeSpan.Zero).WaitAsync(TestTimeout);
        Next();
        var never = Own(new BrokerLink(_clients.Dequeue, _clock, LoggerFactory.CreateLogger("link")));
        await never.StopAsync(TimeSpan.Zero).WaitAsync(TestTimeout);
    }
}
