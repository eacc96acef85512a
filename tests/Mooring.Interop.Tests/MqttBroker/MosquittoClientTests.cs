using System.Net;
using Microsoft.Extensions.Logging;
using Mooring.Mqtt.Broker;
using Mooring.Testing;

namespace Mooring.Interop.Tests.MqttBroker;

/// <summary>mosquitto_pub and mosquitto_sub against the broker.</summary>
[Trait("Peer", "real")]
public sealed class MosquittoClientTests : MooringTest
{
    private readonly Mooring.Mqtt.Broker.MqttBroker _broker;

    public MosquittoClientTests()
    {
        _broker = Own(new Mooring.Mqtt.Broker.MqttBroker(
            new MqttBrokerOptions { Listeners = [new IPEndPoint(IPAddress.Loopback, 0)] },
            LoggerFactory.CreateLogger<Mooring.Mqtt.Broker.MqttBroker>(), TimeProvider.System));
        _broker.Start();
    }

    private string Port => _broker.EndPoints[0].Port.ToString(System.Globalization.CultureInfo.InvariantCulture);

    public static TheoryData<string, int> Versions
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var version in (string[])["mqttv31", "mqttv311", "mqttv5"])
            {
                for (var qos = 0; qos <= 2; qos++)
                {
                    data.Add(version, qos);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Published_message_arrives(string version, int qos)
    {
        await using var subscriber = Subscriber(version, qos, "t/#", "sub");
        await SubscribedAsync();
        await PublishAsync(version, qos, "t/x", "hello " + qos);
        Assert.Equal("t/x hello " + qos, await subscriber.LineAsync("hello", TestTimeout));
    }

    [Theory]
    [InlineData("mqttv311")]
    [InlineData("mqttv5")]
    public async Task Retained_message_reaches_a_later_subscriber(string version)
    {
        await PublishAsync(version, 1, "r/x", "kept", "--retain");
        await using var subscriber = Subscriber(version, 1, "r/x", "sub");
        Assert.Equal("r/x kept", await subscriber.LineAsync("kept", TestTimeout));
    }

    [Fact]
    public async Task Will_of_a_killed_client_is_published()
    {
        await using var watcher = Subscriber("mqttv5", 0, "will/#", "watcher");
        await SubscribedAsync();
        await using (var dying = ProcessUnderTest.Start(
            "mosquitto_sub", ["-p", Port, "-t", "x", "--will-topic", "will/x", "--will-payload", "gone"]))
        {
            await SubscribedAsync(2);
            dying.Kill();
        }

        Assert.Equal("will/x gone", await watcher.LineAsync("gone", TestTimeout));
    }

    [Fact]
    public async Task Kept_session_delivers_what_came_while_the_client_was_away()
    {
        await using (Subscriber("mqttv311", 1, "k", "keeper", "-c"))
        {
            await SubscribedAsync();
        }

        await PublishAsync("mqttv311", 1, "k", "while away");
        await using var back = Subscriber("mqttv311", 1, "k", "keeper", "-c");
        Assert.Equal("k while away", await back.LineAsync("while away", TestTimeout));
    }

    private ProcessUnderTest Subscriber(string version, int qos, string filter, string id, params string[] more) =>
        ProcessUnderTest.Start("mosquitto_sub", ["-p", Port, "-V", version, "-q", $"{qos}", "-t", filter, "-i", id, "-v", .. more]);

    private async Task PublishAsync(string version, int qos, string topic, string message, params string[] more)
    {
        await using var publisher = ProcessUnderTest.Start(
            "mosquitto_pub", ["-p", Port, "-V", version, "-q", $"{qos}", "-t", topic, "-m", message, .. more]);
        Assert.Equal(0, await publisher.ExitAsync(TestTimeout));
    }

    /// <summary>The broker's own count tells when the subscriptions are there.</summary>
    private Task SubscribedAsync(int count = 1) =>
        Eventually.TrueAsync(() => _broker.SubscriptionCount >= count, $"{count} subscriptions", TestTimeout);
}
