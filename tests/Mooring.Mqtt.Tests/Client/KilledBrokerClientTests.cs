using System.Globalization;
using System.Net;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Links;
using Mooring.Mqtt.Client;
using Mooring.Mqtt.Client.Transports;
using Mooring.Mqtt.Tests.Persistence;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Client;

/// <summary>Clients at full speed, and a durable broker that is killed under them.</summary>
public sealed class KilledBrokerClientTests : MooringTest
{
    private const int Messages = 6000;
    private const int Kills = 3;

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-client-kill-").FullName;
    private BrokerProcess _broker = null!;

    public static MatrixTheoryData<MqttVersion, QualityOfService> Combinations =>
        new([MqttVersion.V311, MqttVersion.V500], [QualityOfService.AtLeastOnce, QualityOfService.ExactlyOnce]);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _broker.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public async Task KilledUnderLoad_NothingIsLost_NothingOfQos2ComesTwice(MqttVersion version, QualityOfService qos)
    {
        _broker = await BrokerProcess.StartAsync(_folder, TestTimeout);
        var (publisher, subscriber) = (Client(version, "publisher"), Client(version, "subscriber"));
        await publisher.StartAsync(TestTimeout);
        await subscriber.StartAsync(TestTimeout);
        var numbers = Channel.CreateBounded<int>(Messages * 10);
        await subscriber.SubscribeAsync(
            new MqttSubscription("numbers", qos),
            (message, token) => numbers.Writer.WriteAsync(int.Parse(message.Payload.Span, CultureInfo.InvariantCulture), token), TestTimeout);

        var publishing = Task.Run(() => PublishAllAsync(publisher, qos), TestTimeout);
        var received = new List<int>();
        for (var kill = 1; kill <= Kills; kill++)
        {
            while (received.Count < kill * 500) received.Add(await numbers.Reader.ReadAsync(TestTimeout));
            await _broker.KillAsync(TestTimeout);
            await _broker.DisposeAsync();
            _broker = await BrokerProcess.StartAsync(_folder, TestTimeout);
        }
        while (received[^1] != Messages - 1) received.Add(await numbers.Reader.ReadAsync(TestTimeout));
        await publishing;
        Assert.Equal(Enumerable.Range(0, Messages), qos == QualityOfService.ExactlyOnce ? received : received.Distinct());
    }

    private async Task PublishAllAsync(MqttClient publisher, QualityOfService qos)
    {
        for (var i = 0; i < Messages; i++)
        {
            var payload = Encoding.ASCII.GetBytes(i.ToString(CultureInfo.InvariantCulture));
            await publisher.EnqueueAsync(new MqttMessage { Topic = "numbers", Payload = payload, QualityOfService = qos }, TestTimeout);
        }
    }

    private MqttClient Client(MqttVersion version, string id)
    {
        var options = new MqttClientOptions
        {
            Server = new Uri("mqtt://127.0.0.1"),
            Version = version,
            ClientId = id,
            CleanStart = false,
            SessionExpiry = TimeSpan.FromHours(1),
            Backoff = BackoffPolicy.Fixed(TimeSpan.FromMilliseconds(20)),
        };
        return Own(new MqttClient(
            options, LoggerFactory.CreateLogger<MqttClient>(), TimeProvider.System, new MovingDialer(options, () => _broker.Address)));
    }

    /// <summary>The broker has another port after each start.</summary>
    private sealed class MovingDialer(MqttClientOptions options, Func<IPEndPoint> address) : IDialer
    {
        public ValueTask<ClientTransport> DialAsync(CancellationToken cancellationToken) =>
            new SocketDialer(options with { Server = new Uri($"mqtt://{address()}") }, null).DialAsync(cancellationToken);

        public void Dispose()
        {
        }
    }
}
