using System.Text;
using System.Threading.Channels;
using Mooring.Kernel.Links;
using Mooring.Mqtt.Broker;

namespace Mooring.Mqtt.Tests.Broker;

/// <summary>In-process clients whose handlers are slow, stuck or stopping.</summary>
public sealed class LocalClientFaultTests : BrokerTest
{
    private const int Bound = 64;
    private const int ByteBound = 64 * 1024;

    protected override MqttBrokerLimits Limits => new() { LocalQueuedMessages = Bound, LocalQueuedBytes = ByteBound };

    [Fact]
    public async Task SlowHandler_PublisherInTheProcessWaits_AndNothingIsLost()
    {
        await using var stuck = await StuckAsync("slow");
        await using var publisher = await StartAsync("publisher");
        var publishing = PublishAsync(publisher, 1000);
        await stuck.Entered.Task.WaitAsync(TestTimeout);
        Assert.False(publishing.IsCompleted);
        stuck.Release();
        await publishing;
        for (var i = 0; i < 1000; i++) Assert.Equal($"{i}", await stuck.Received.Reader.ReadAsync(TestTimeout));
        Assert.Equal(0, Dropped);
    }

    [Fact]
    public async Task SlowHandler_SocketPublisherIsNotHeldUp_OthersGetEverything_WhatWasDroppedIsCounted()
    {
        await using var stuck = await StuckAsync("slow");
        using var other = RawClient.Connect(Address, "other");
        other.Subscribe("t");
        using var publisher = RawClient.Connect(Address, "p");
        for (var i = 0; i < 500; i++)
        {
            publisher.Publish("t", $"{i}", qos: 1, id: 1);
            Assert.Equal("PubAck id=1 Success", publisher.Receive());
            Assert.StartsWith("Publish", other.Receive(), StringComparison.Ordinal);
        }

        await stuck.Entered.Task.WaitAsync(TestTimeout);
        stuck.Release();
        Assert.InRange(Dropped, 500 - (2 * Bound) - 1, 499);
        for (var i = 0; i < 500 - Dropped; i++) await stuck.Received.Reader.ReadAsync(TestTimeout);
    }

    [Fact]
    public async Task SlowHandler_LargeMessages_AreBoundedByBytes()
    {
        await using var stuck = await StuckAsync("slow");
        using var publisher = RawClient.Connect(Address, "p");
        var payload = new string('x', ByteBound / 4);
        for (var i = 0; i < 30; i++) publisher.Publish("t", payload);
        publisher.ExpectNothing();
        Assert.InRange(Dropped, 30 - 10, 29);
        stuck.Release();
    }

    [Fact]
    public async Task HandlersThatPublishToEachOther_DoNotWaitForEachOther()
    {
        await using var one = await StartAsync("one");
        await using var two = await StartAsync("two");
        var done = new TaskCompletionSource();
        var handled = 0;
        await EchoAsync(one, "to/one", "to/two");
        await EchoAsync(two, "to/two", "to/one");
        await using var publisher = await StartAsync("publisher");
        for (var i = 0; i < Bound; i++)
        {
            await publisher.PublishAsync(Message("to/one", "x"), TestTimeout);
            await publisher.PublishAsync(Message("to/two", "x"), TestTimeout);
        }

        await done.Task.WaitAsync(TestTimeout);

        async Task EchoAsync(IMqttClient client, string from, string to) =>
            await client.SubscribeAsync(
                new MqttSubscription(from),
                async (_, token) =>
                {
                    if (Interlocked.Increment(ref handled) == 10_000) done.TrySetResult();
                    if (!done.Task.IsCompleted) for (var i = 0; i < 3; i++) await client.PublishAsync(Message(to, "x"), token);
                },
                TestTimeout);
    }

    [Fact]
    public async Task HandlerThatStopsItsOwnClient_EndsIt()
    {
        await using var client = await StartAsync("c");
        var stopped = new TaskCompletionSource();
        await client.SubscribeAsync(
            new MqttSubscription("t"),
            async (_, _) =>
            {
                await client.DisposeAsync();
                stopped.SetResult();
            },
            TestTimeout);
        await client.PublishAsync(Message("t", "x"), TestTimeout);
        await stopped.Task.WaitAsync(TestTimeout);
        Assert.Equal(LinkState.Stopped, client.State);
        Assert.Equal(0, Broker.SubscriptionCount);
    }

    [Fact]
    public async Task DisposedByTwoAtOnce_WhileAHandlerRuns_BothWaitForItsEnd()
    {
        await using var stuck = await StuckAsync("c");
        await using var publisher = await StartAsync("p");
        await publisher.PublishAsync(Message("t", "x"), TestTimeout);
        await stuck.Entered.Task.WaitAsync(TestTimeout);
        var first = stuck.Client.DisposeAsync().AsTask();
        var second = stuck.Client.DisposeAsync().AsTask();
        Assert.False(first.IsCompleted || second.IsCompleted);
        stuck.Release();
        await Task.WhenAll(first, second).WaitAsync(TestTimeout);
    }

    [Fact]
    public async Task HandlerToldToEnd_WhateverItThrows_StopSucceeds()
    {
        foreach (var failure in new Exception[] { new OperationCanceledException(), new InvalidDataException("at the end") })
        {
            var client = await StartAsync("c");
            var entered = new TaskCompletionSource();
            await client.SubscribeAsync(
                new MqttSubscription("t"),
                async (_, token) =>
                {
                    entered.SetResult();
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    throw failure;
                },
                TestTimeout);
            await client.PublishAsync(Message("t", "x"), TestTimeout);
            await entered.Task.WaitAsync(TestTimeout);
            await client.StopAsync(TimeSpan.Zero).WaitAsync(TestTimeout);
        }
    }

    [Fact]
    public async Task WaitingPublisher_GoesOnWhenTheSlowClientIsStopped()
    {
        await using var stuck = await StuckAsync("slow");
        await using var publisher = await StartAsync("publisher");
        var publishing = PublishAsync(publisher, 1000);
        await stuck.Entered.Task.WaitAsync(TestTimeout);
        var stopping = stuck.Client.StopAsync(TimeSpan.Zero);
        await publishing.WaitAsync(TestTimeout);
        stuck.Release();
        await stopping.WaitAsync(TestTimeout);
    }

    [Fact]
    public async Task WaitingPublisher_IsLetGoWhenItsOwnClientIsStopped_OrItsCallIsCancelled()
    {
        await using var stuck = await StuckAsync("slow");
        var publisher = await StartAsync("publisher");
        await using var cancelled = await StartAsync("cancelled");
        using var source = new CancellationTokenSource();
        var first = Assert.ThrowsAsync<InvalidOperationException>(() => PublishAsync(publisher, 1000));
        await stuck.Entered.Task.WaitAsync(TestTimeout);
        await publisher.DisposeAsync();
        await first.WaitAsync(TestTimeout);
        for (var i = 0; i < Bound; i++) _ = cancelled.PublishAsync(Message("t", "fill"), source.Token).AsTask();
        var waiting = cancelled.PublishAsync(Message("t", "x"), source.Token).AsTask();
        Assert.False(waiting.IsCompleted);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(TestTimeout));
        stuck.Release();
    }

    [Fact]
    public async Task SubscribingWhileStopped_LeavesNoSubscriptionBehind()
    {
        for (var round = 0; round < 200; round++)
        {
            var client = await StartAsync("c");
            var subscribing = Task.Run(async () =>
            {
                for (var i = 0; i < 20; i++) await client.SubscribeAsync(new MqttSubscription($"t/{i}/#"), (_, _) => default, TestTimeout);
            }, TestTimeout);
            await client.DisposeAsync();
            try
            {
                await subscribing;
            }
            catch (InvalidOperationException)
            {
                // Stopped before the last one.
            }

            Assert.Equal(0, Broker.SubscriptionCount);
        }
    }

    [Fact]
    public async Task DisposedUnderLoad_PublishersOnSocketsAreAllAnswered()
    {
        using var publisher = RawClient.Connect(Address, "p");
        for (var round = 0; round < 20; round++)
        {
            var client = await StartAsync("c");
            await client.SubscribeAsync(new MqttSubscription("t"), (_, _) => default, TestTimeout);
            for (var id = 1; id <= 100; id++) publisher.Publish("t", "x", qos: 1, id: (ushort)id);
            await client.DisposeAsync();
            for (var id = 1; id <= 100; id++) Assert.Equal($"PubAck id={id} Success", publisher.Receive());
        }
    }

    [Fact]
    public async Task StoppedClient_SaysSo()
    {
        var client = await StartAsync("c");
        await client.DisposeAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.StartAsync(TestTimeout));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await client.PublishAsync(Message("t", "x"), TestTimeout));
        await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await client.SubscribeAsync(new MqttSubscription("t"), (_, _) => default, TestTimeout));
        await client.StopAsync(TimeSpan.Zero);
    }

    [Fact]
    public async Task ObserverThatPublishesWhenTheLinkIsUp_IsNotUnderALock()
    {
        await using var one = Broker.CreateClient("one");
        await using var two = Broker.CreateClient("two");
        one.LinkChanged += _ => Greet(one, "two");
        two.LinkChanged += _ => Greet(two, "one");
        await one.SubscribeAsync(new MqttSubscription("one"), (_, _) => default, TestTimeout);
        await two.SubscribeAsync(new MqttSubscription("two"), (_, _) => default, TestTimeout);
        await Task.WhenAll(Task.Run(() => one.StartAsync(TestTimeout), TestTimeout), Task.Run(() => two.StartAsync(TestTimeout), TestTimeout)).WaitAsync(TestTimeout);

        void Greet(IMqttClient client, string topic)
        {
            if (client.State == LinkState.Up) _ = client.PublishAsync(Message(topic, "up"), TestTimeout).AsTask();
        }
    }

    private long Dropped => Broker.Counters.DroppedByReason().Values.Sum();

    private static MqttMessage Message(string topic, string payload) => new()
    {
        Topic = topic, Payload = Encoding.UTF8.GetBytes(payload), QualityOfService = QualityOfService.AtLeastOnce,
    };

    private async Task PublishAsync(IMqttClient client, int count)
    {
        for (var i = 0; i < count; i++) await client.PublishAsync(Message("t", $"{i}"), TestTimeout);
    }

    private async Task<IMqttClient> StartAsync(string id)
    {
        var client = Broker.CreateClient(id);
        await client.StartAsync(TestTimeout);
        return client;
    }

    private async Task<StuckClient> StuckAsync(string id)
    {
        var stuck = new StuckClient(await StartAsync(id));
        await stuck.Client.SubscribeAsync(new MqttSubscription("t"), stuck.HandleAsync, TestTimeout);
        return stuck;
    }

    /// <summary>A client whose first handler does not return, whatever its token says, until it is released.</summary>
    private sealed class StuckClient(IMqttClient client) : IAsyncDisposable
    {
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal IMqttClient Client => client;

        internal TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Channel<string> Received { get; } = Channel.CreateBounded<string>(10_000);

        internal void Release() => _released.TrySetResult();

        internal async ValueTask HandleAsync(MqttMessage message, CancellationToken cancellationToken)
        {
            Entered.TrySetResult();
            await _released.Task;
            Received.Writer.TryWrite(Encoding.UTF8.GetString(message.Payload.Span));
        }

        public ValueTask DisposeAsync()
        {
            Release();
            return client.DisposeAsync();
        }
    }
}
