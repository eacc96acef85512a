using Mooring.Kernel.Links;
using Mooring.Mqtt.Client;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Client;

/// <summary>PINGREQ, and what happens when nobody answers.</summary>
public sealed class KeepAliveTests : ClientTest
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(15);

    private readonly TestClock _clock = new();

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task IdleConnection_IsPinged_AndStaysUpWhenAnswered(MqttVersion version)
    {
        var (broker, client, connection) = await StartAsync(WithKeepAlive(version), time: _clock);
        for (var i = 0; i < 5; i++)
        {
            _clock.Advance(Interval);
            await connection.ExpectAsync("PingReq");
            await connection.SendAsync("D000");
            await connection.ExpectNothingAsync();
            _clock.Advance(PingTimeout);
            await connection.ExpectNothingAsync();
        }
        Assert.Equal(LinkState.Up, client.State);
        Assert.Equal(1, broker.Dials);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task NoPingResp_EndsTheConnection(MqttVersion version)
    {
        var (broker, client, connection) = await StartAsync(WithKeepAlive(version), time: _clock);
        var waiting = Moves(client, LinkState.Waiting);
        _clock.Advance(Interval);
        await connection.ExpectAsync("PingReq");
        _clock.Advance(PingTimeout);
        Assert.Equal("no PINGRESP within 15 s", (await waiting.ReadAsync(TestTimeout)).Reason);
        await connection.ExpectAsync("closed");
        _clock.AdvanceToNextTimer();
        await broker.ConnectAsync(TestTimeout);
    }

    [Fact]
    public async Task PeerThatStalls_IsNoticedThoughMessagesAreSent()
    {
        var options = WithKeepAlive(MqttVersion.V500);
        var (broker, client) = Create(options, _clock);
        var toClient = new ByteFaults();
        broker.NextFaults = (null, toClient);
        var starting = client.StartAsync(TestTimeout);
        var connection = await broker.ConnectAsync(TestTimeout);
        await starting;
        var waiting = Moves(client, LinkState.Waiting);
        toClient.StallAfter(toClient.Passed);
        // Sending alone proves nothing: QoS 0 needs no answer.
        for (var i = 0; i < 3; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(10));
            await client.PublishAsync(Message("t", "x", 0), TestTimeout);
        }
        await connection.ExpectAsync("Publish q0 topic=t payload=78", "Publish q0 topic=t payload=78");
        _clock.Advance(PingTimeout);
        await waiting.ReadAsync(TestTimeout);
    }

    [Fact]
    public async Task ServerKeepAlive_ReplacesOurs()
    {
        var (_, _, connection) = await StartAsync(WithKeepAlive(MqttVersion.V500), connack: "130005", time: _clock);
        _clock.Advance(TimeSpan.FromSeconds(5));
        await connection.ExpectAsync("PingReq");
    }

    [Fact]
    public async Task WithoutKeepAlive_NothingIsSent()
    {
        var (_, _, connection) = await StartAsync(Options, time: _clock);
        _clock.Advance(TimeSpan.FromDays(1));
        await connection.ExpectNothingAsync();
    }

    [Fact]
    public async Task SlowHandler_DoesNotStopPings()
    {
        var (_, client, connection) = await StartAsync(WithKeepAlive(MqttVersion.V500), time: _clock);
        var (entered, leave) = (new TaskCompletionSource(), new TaskCompletionSource());
        var subscribing = client.SubscribeAsync(new MqttSubscription("t"), async (_, token) =>
        {
            entered.TrySetResult();
            await leave.Task.WaitAsync(token);
        }, TestTimeout);
        await connection.ExpectAsync("Subscribe id=1 t:01");
        await connection.SubAckAsync(1, 1);
        await subscribing;
        await connection.PublishAsync("t", "x", qos: 1, id: 9);
        await entered.Task.WaitAsync(TestTimeout);
        for (var i = 0; i < 3; i++)
        {
            _clock.Advance(Interval);
            await connection.ExpectAsync("PingReq");
            await connection.SendAsync("D000");
            await connection.ExpectNothingAsync();
        }
        leave.SetResult();
        await connection.ExpectAsync("PubAck id=9 Success");
    }

    private static MqttClientOptions WithKeepAlive(MqttVersion version) =>
        Options with { Version = version, KeepAlive = Interval, Backoff = BackoffPolicy.Fixed(TimeSpan.FromSeconds(1)) };
}
