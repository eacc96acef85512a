using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Links;
using Mooring.Mqtt.Client;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Client;

/// <summary>Base of tests of the client against a broker that follows a script.</summary>
public abstract class ClientTest : MooringTest
{
    /// <summary>Reconnects at once, without keep-alive: nothing happens that a test does not ask for.</summary>
    internal static MqttClientOptions Options { get; } = new()
    {
        Server = new Uri("mqtt://broker.example"),
        ClientId = "c",
        KeepAlive = TimeSpan.Zero,
        Backoff = BackoffPolicy.Fixed(TimeSpan.FromMilliseconds(1)),
        Limits = new MqttClientLimits { InboundTopicAliases = 0, ReceiveMaximum = 10 },
    };

    public static TheoryData<MqttVersion> Versions => [MqttVersion.V311, MqttVersion.V500];

    internal static MqttClientOptions Persistent(MqttVersion version) =>
        Options with { Version = version, CleanStart = false, SessionExpiry = TimeSpan.FromHours(1) };

    internal static MqttMessage Message(string topic, string text, int qos) =>
        new() { Topic = topic, Payload = Encoding.UTF8.GetBytes(text), QualityOfService = (QualityOfService)qos };

    internal static string Hex(string text) => Convert.ToHexString(Encoding.UTF8.GetBytes(text));

    internal (ScriptedBroker Broker, MqttClient Client) Create(MqttClientOptions options, TimeProvider? time = null)
    {
        var broker = new ScriptedBroker(options.Version);
        var client = Own(new MqttClient(options, LoggerFactory.CreateLogger<MqttClient>(), time, broker));
        // Last owned, first disposed: the client finds its connections closed.
        return (Own(broker), client);
    }

    internal (ScriptedBroker Broker, MqttClient Client) Create(MqttVersion version) => Create(Options with { Version = version });

    /// <summary>A client with its first connection up.</summary>
    internal async Task<(ScriptedBroker Broker, MqttClient Client, ScriptedConnection Connection)> StartAsync(
        MqttClientOptions options, string connack = "", bool sessionPresent = false, TimeProvider? time = null)
    {
        var (broker, client) = Create(options, time);
        var starting = client.StartAsync(TestTimeout);
        var connection = await broker.ConnectAsync(TestTimeout, sessionPresent, connack);
        await starting;
        return (broker, client, connection);
    }

    internal Task<(ScriptedBroker Broker, MqttClient Client, ScriptedConnection Connection)> StartAsync(MqttVersion version) =>
        StartAsync(Options with { Version = version });

    /// <summary>Subscribes, with the broker's consent; what comes is read from the channel.</summary>
    internal async Task<ChannelReader<string>> SubscribeAsync(MqttClient client, ScriptedConnection connection, string filter, ushort id = 1)
    {
        var texts = Channel.CreateBounded<string>(10_000);
        var subscribing = client.SubscribeAsync(
            new MqttSubscription(filter, QualityOfService.ExactlyOnce),
            (message, token) => texts.Writer.WriteAsync($"{message.Topic}:{Encoding.UTF8.GetString(message.Payload.Span)}", token),
            TestTimeout);
        Assert.Equal($"Subscribe id={id} {filter}:02", await connection.ReceiveAsync());
        await connection.SubAckAsync(id, 2);
        await subscribing;
        return texts.Reader;
    }

    /// <summary>A signal for each move of the link to this state.</summary>
    internal static ChannelReader<LinkTransition> Moves(MqttClient client, LinkState to)
    {
        var moves = Channel.CreateBounded<LinkTransition>(1000);
        client.LinkChanged += move =>
        {
            if (move.To == to) moves.Writer.TryWrite(move);
        };
        return moves.Reader;
    }
}
