using Mooring.Kernel.Links;

namespace Mooring.Mqtt.Tests.Client;

/// <summary>SUBSCRIBE, UNSUBSCRIBE, and what becomes of filters when connections change.</summary>
public sealed class SubscribeTests : ClientTest
{
    private static readonly MqttMessageHandler Ignore = (_, _) => default;

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Subscribe_EndsWithSubAck_AndDisposingUnsubscribes(MqttVersion version)
    {
        var (_, client, connection) = await StartAsync(version);
        var subscribing = client.SubscribeAsync(new MqttSubscription("a/#", QualityOfService.ExactlyOnce), Ignore, TestTimeout).AsTask();
        await connection.ExpectAsync("Subscribe id=1 a/#:02");
        Assert.False(subscribing.IsCompleted);
        // A lower QoS than asked for is a success.
        await connection.SubAckAsync(1, 0);
        var subscription = await subscribing;
        var disposing = subscription.DisposeAsync().AsTask();
        await connection.ExpectAsync("Unsubscribe id=2 a/#");
        Assert.False(disposing.IsCompleted);
        await connection.UnsubAckAsync(2, 0x11);
        await disposing;
        await subscription.DisposeAsync();
        await connection.ExpectNothingAsync();
    }

    [Fact]
    public async Task Options_OfVersion5_AreSent()
    {
        var (_, client, connection) = await StartAsync(MqttVersion.V500);
        _ = client.SubscribeAsync(
            new MqttSubscription("a/b")
            {
                NoLocal = true, RetainAsPublished = true, RetainHandling = RetainHandling.DoNotSend, Identifier = 200,
            },
            Ignore, TestTimeout).AsTask();
        await connection.ExpectAsync("Subscribe id=1 props=0BC801 a/b:2D");
    }

    [Theory]
    [InlineData(MqttVersion.V311, 0x80)]
    [InlineData(MqttVersion.V500, 0x87)]
    public async Task RefusedFilter_IsThrown_AndNotAskedForAgain(MqttVersion version, byte code)
    {
        var (broker, client, connection) = await StartAsync(version);
        var subscribing = client.SubscribeAsync(new MqttSubscription("t"), Ignore, TestTimeout).AsTask();
        await connection.ReceiveAsync();
        await connection.SubAckAsync(1, code);
        var refusal = await Assert.ThrowsAsync<MqttRefusedException>(() => subscribing);
        Assert.Equal(code, refusal.ReasonCode);
        await connection.CloseAsync();
        var second = await broker.ConnectAsync(TestTimeout);
        await second.ExpectNothingAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("a#")]
    [InlineData("a/#/b")]
    [InlineData("$share/g")]
    [InlineData("$share/+/a")]
    public async Task FilterThatIsNone_IsRefusedHere(string filter)
    {
        var (_, client, _) = await StartAsync(MqttVersion.V500);
        await Assert.ThrowsAsync<MqttRefusedException>(
            async () => await client.SubscribeAsync(new MqttSubscription(filter), Ignore, TestTimeout));
    }

    [Fact]
    public async Task OptionsThatABrokerWouldNotTake_AreRefusedHere()
    {
        var (_, client, connection) = await StartAsync(MqttVersion.V500);
        MqttSubscription[] wrong =
        [
            new("$share/g/a") { NoLocal = true }, new("a", (QualityOfService)3), new("a") { Identifier = 0 },
            new("a") { RetainHandling = (RetainHandling)3 },
        ];
        foreach (var subscription in wrong)
        {
            await Assert.ThrowsAnyAsync<ArgumentException>(async () => await client.SubscribeAsync(subscription, Ignore, TestTimeout));
        }
        await connection.ExpectNothingAsync();
    }

    [Theory]
    [InlineData("2800", "a/+", null)]
    [InlineData("2A00", "$share/g/a", null)]
    [InlineData("2900", "a", 7u)]
    public async Task WhatTheServerDoesNotHave_IsRefusedHere(string connack, string filter, uint? identifier)
    {
        var (_, client, connection) = await StartAsync(Options, connack);
        await Assert.ThrowsAsync<MqttRefusedException>(
            async () => await client.SubscribeAsync(new MqttSubscription(filter) { Identifier = identifier }, Ignore, TestTimeout));
        await connection.ExpectNothingAsync();
    }

    [Fact]
    public async Task ManyFilters_TravelTogether_AndEachGetsItsCode()
    {
        var (broker, client) = Create(MqttVersion.V500);
        string[] names = ["a", "b", "c"];
        var subscribing = names.Select(name => client.SubscribeAsync(new MqttSubscription(name), Ignore, TestTimeout).AsTask()).ToArray();
        var starting = client.StartAsync(TestTimeout);
        var connection = await broker.ConnectAsync(TestTimeout);
        await connection.ExpectAsync("Subscribe id=1 a:01 b:01 c:01");
        // The link is up when the filters are.
        Assert.False(starting.IsCompleted);
        Assert.Equal(LinkState.Connecting, client.State);
        await connection.SubAckAsync(1, 0, 0x87, 1);
        await starting;
        await subscribing[0];
        await Assert.ThrowsAsync<MqttRefusedException>(() => subscribing[1]);
        await subscribing[2];
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task LostSession_IsSubscribedAgain(MqttVersion version)
    {
        var (broker, client, first) = await StartAsync(version);
        await SubscribeAsync(client, first, "t");
        var up = Moves(client, LinkState.Up);
        await first.CloseAsync();
        var second = await broker.ConnectAsync(TestTimeout);
        Assert.Matches("Subscribe id=[0-9]+ t:02", await second.ReceiveAsync());
        Assert.False(up.TryRead(out _));
        await second.SubAckAsync(2, 2);
        await up.ReadAsync(TestTimeout);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task KeptSession_IsNotSubscribedAgain_ButLeftFiltersGo(MqttVersion version)
    {
        var (broker, client, first) = await StartAsync(Persistent(version));
        var texts = await SubscribeAsync(client, first, "kept");
        var subscribing = client.SubscribeAsync(new MqttSubscription("left"), Ignore, TestTimeout).AsTask();
        await first.ReceiveAsync();
        await first.SubAckAsync(2, 1);
        var left = await subscribing;
        broker.IsUnreachable = true;
        var waiting = Moves(client, LinkState.Waiting);
        await first.CloseAsync();
        await waiting.ReadAsync(TestTimeout);
        await left.DisposeAsync();
        broker.IsUnreachable = false;
        var second = await broker.ConnectAsync(TestTimeout, sessionPresent: true);
        await second.ExpectAsync("Unsubscribe id=3 left");
        await second.UnsubAckAsync(3, 0);
        await second.PublishAsync("kept", "x");
        Assert.Equal("kept:x", await texts.ReadAsync(TestTimeout));
    }

    [Fact]
    public async Task SubscribeOfTheTimeOffline_EndsWithTheNextConnection()
    {
        var (broker, client) = Create(Options);
        broker.IsUnreachable = true;
        _ = client.StartAsync(TestTimeout);
        var subscribing = client.SubscribeAsync(new MqttSubscription("t"), Ignore, TestTimeout).AsTask();
        broker.IsUnreachable = false;
        var connection = await broker.ConnectAsync(TestTimeout);
        await connection.ExpectAsync("Subscribe id=1 t:01");
        await connection.SubAckAsync(1, 1);
        await subscribing;
    }

    [Fact]
    public async Task ConnectionLostBeforeSubAck_IsAskedAgain()
    {
        var (broker, client, first) = await StartAsync(Persistent(MqttVersion.V500));
        var subscribing = client.SubscribeAsync(new MqttSubscription("t"), Ignore, TestTimeout).AsTask();
        await first.ExpectAsync("Subscribe id=1 t:01");
        first.Reset();
        var second = await broker.ConnectAsync(TestTimeout, sessionPresent: true);
        await second.ExpectAsync("Subscribe id=2 t:01");
        await second.SubAckAsync(2, 1);
        await subscribing;
    }

    [Fact]
    public async Task Cancelled_IsTakenBack()
    {
        var (_, client, connection) = await StartAsync(MqttVersion.V500);
        using var cancel = new CancellationTokenSource();
        var subscribing = client.SubscribeAsync(new MqttSubscription("t"), Ignore, cancel.Token).AsTask();
        await connection.ExpectAsync("Subscribe id=1 t:01");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => subscribing);
        await connection.SubAckAsync(1, 1);
        await connection.ExpectAsync("Unsubscribe id=2 t");
    }

    [Fact]
    public async Task NoSubAckInTime_EndsTheConnection()
    {
        var (broker, client) = Create(Options with { Limits = Options.Limits with { ConnectTimeout = TimeSpan.FromMilliseconds(50) } });
        var waiting = Moves(client, LinkState.Waiting);
        _ = client.SubscribeAsync(new MqttSubscription("t"), Ignore, TestTimeout).AsTask();
        _ = client.StartAsync(TestTimeout);
        var connection = await broker.ConnectAsync(TestTimeout);
        await connection.ExpectAsync("Subscribe id=1 t:01");
        Assert.Equal("no SUBACK in time", (await waiting.ReadAsync(TestTimeout)).Reason);
    }

    [Theory]
    [InlineData("900401000001")]
    [InlineData("9005000100" + "0101")]
    [InlineData("9004000100" + "03")]
    [InlineData("40020001")]
    public async Task WrongAnswer_IsAProtocolError(string hex)
    {
        var (broker, client, connection) = await StartAsync(MqttVersion.V500);
        _ = client.SubscribeAsync(new MqttSubscription("t"), Ignore, TestTimeout).AsTask();
        await connection.ExpectAsync("Subscribe id=1 t:01");
        await connection.SendAsync(hex);
        if (hex == "900401000001")
        {
            // An identifier that nothing waits for is ignored.
            await connection.ExpectNothingAsync();
            return;
        }
        await connection.ExpectAsync("Disconnect ProtocolError", "closed");
        await connection.CloseAsync();
        await (await broker.ConnectAsync(TestTimeout)).ExpectAsync("Subscribe id=2 t:01");
    }

    [Fact]
    public async Task ThousandsOfFilters_AreSubscribedInPackets_AfterAReconnect()
    {
        const int count = 2000;
        var (broker, client, first) = await StartAsync(MqttVersion.V311);
        var subscribing = Enumerable.Range(0, count)
            .Select(i => client.SubscribeAsync(new MqttSubscription($"cars/{i}"), Ignore, TestTimeout).AsTask()).ToArray();
        await AcknowledgeAllAsync(first, count);
        await Task.WhenAll(subscribing);
        var up = Moves(client, LinkState.Up);
        await first.CloseAsync();
        var second = await broker.ConnectAsync(TestTimeout);
        var packets = await AcknowledgeAllAsync(second, count);
        Assert.InRange(packets, count / 100, (count / 100) + 1);
        await up.ReadAsync(TestTimeout);
    }

    private static async Task<int> AcknowledgeAllAsync(ScriptedConnection connection, int filters)
    {
        var packets = 0;
        while (filters > 0)
        {
            var words = (await connection.ReceiveAsync()).Split(' ');
            var id = ushort.Parse(words[1].AsSpan(3), System.Globalization.CultureInfo.InvariantCulture);
            await connection.SubAckAsync(id, new byte[words.Length - 2]);
            filters -= words.Length - 2;
            packets++;
        }
        return packets;
    }
}
