using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Mooring.Mqtt;
using Mooring.Mqtt.Client;
using Mooring.Testing;
using Client = Mooring.Mqtt.Client.MqttClient;

namespace Mooring.Interop.Tests.MqttClient;

/// <summary>The client against a mosquitto.</summary>
[Trait("Peer", "real")]
public sealed class MosquittoTests : MooringTest, IAsyncLifetime
{
    private MosquittoServer _server = null!;

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

    public async ValueTask InitializeAsync() => _server = Own(await MosquittoServer.StartAsync(TestTimeout));

    [Theory]
    [MemberData(nameof(Combinations))]
    public async Task Messages_GoThroughInOrder(MqttVersion version, QualityOfService qos)
    {
        const int count = 1000;
        var client = await StartAsync(Plain(version));
        var texts = await SubscribeAsync(client, "numbers/#", qos);
        for (var i = 0; i < count; i++) await client.EnqueueAsync(Message("numbers/of/all", Text(i), qos), TestTimeout);
        for (var i = 0; i < count; i++) Assert.Equal(Text(i), await texts.ReadAsync(TestTimeout));
    }

    private MqttClientOptions Plain(MqttVersion version) =>
        new() { Server = MosquittoServer.Address("mqtt", _server.Plain), Version = version };

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static MqttMessage Message(string topic, string text, QualityOfService qos) =>
        new() { Topic = topic, Payload = Encoding.UTF8.GetBytes(text), QualityOfService = qos };

    private Client Create(MqttClientOptions options) => Own(new Client(options, LoggerFactory.CreateLogger<Client>()));

    private async Task<Client> StartAsync(MqttClientOptions options)
    {
        var client = Create(options);
        await client.StartAsync(TestTimeout);
        return client;
    }

    private async Task<ChannelReader<string>> SubscribeAsync(Client client, string filter, QualityOfService qos)
    {
        var texts = Channel.CreateBounded<string>(100_000);
        await client.SubscribeAsync(
            new MqttSubscription(filter, qos),
            (message, token) => texts.Writer.WriteAsync(Encoding.UTF8.GetString(message.Payload.Span), token),
            TestTimeout);
        return texts.Reader;
    }
}
