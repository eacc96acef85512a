using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Links;
using Mooring.Mqtt.Client;
using Mooring.Mqtt.Tests.Broker;

namespace Mooring.Mqtt.Tests.Client;

/// <summary>The client against the broker of this repository, over a loopback socket.</summary>
public sealed class BrokerRoundTripTests : BrokerTest
{
    public static TheoryData<MqttVersion, QualityOfService> Combinations
    {
        get
        {
            var data = new TheoryData<MqttVersion, QualityOfService>();
            foreach (var version in (MqttVersion[])[MqttVersion.V311, MqttVersion.V500])
                foreach (var qos in Enum.GetValues<QualityOfService>()) data.Add(version, qos);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public async Task PublishedMessage_ReachesTheHandler(MqttVersion version, QualityOfService qos)
    {
        var client = Client(version);
        await client.StartAsync(TestTimeout);
        Assert.Equal(LinkState.Up, client.State);
        var received = new TaskCompletionSource<(string Topic, string Text)>(TaskCreationOptions.RunContinuationsAsynchronously);
        await client.SubscribeAsync(new MqttSubscription("a/+", QualityOfService.ExactlyOnce), (message, _) =>
        {
            received.TrySetResult((message.Topic, Encoding.UTF8.GetString(message.Payload.Span)));
            return default;
        }, TestTimeout);
        await client.PublishAsync(new MqttMessage { Topic = "a/b", Payload = "hello"u8.ToArray(), QualityOfService = qos }, TestTimeout);
        Assert.Equal(("a/b", "hello"), await received.Task.WaitAsync(TestTimeout));
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public async Task ManyMessages_ArriveOnceAndInOrder(MqttVersion version, QualityOfService qos)
    {
        // Fewer than the broker keeps for a subscriber that falls behind.
        const int count = 900;
        var (publisher, subscriber) = (Client(version), Client(version));
        await publisher.StartAsync(TestTimeout);
        await subscriber.StartAsync(TestTimeout);
        var numbers = new ConcurrentQueue<int>();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await subscriber.SubscribeAsync(new MqttSubscription("numbers", QualityOfService.ExactlyOnce), (message, _) =>
        {
            numbers.Enqueue(BitConverter.ToInt32(message.Payload.Span));
            if (numbers.Count == count) done.TrySetResult();
            return default;
        }, TestTimeout);
        for (var i = 0; i < count; i++)
        {
            await publisher.EnqueueAsync(
                new MqttMessage { Topic = "numbers", Payload = BitConverter.GetBytes(i), QualityOfService = qos }, TestTimeout);
        }
        await done.Task.WaitAsync(TestTimeout);
        Assert.Equal(Enumerable.Range(0, count), numbers);
    }

    private MqttClient Client(MqttVersion version) => Own(new MqttClient(
        new MqttClientOptions { Server = new Uri($"mqtt://127.0.0.1:{Address.Port}"), Version = version },
        LoggerFactory.CreateLogger<MqttClient>()));
}
