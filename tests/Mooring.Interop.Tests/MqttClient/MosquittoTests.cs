using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Links;
using Mooring.Kernel.Tls;
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

    public static TheoryData<MqttVersion> Versions => [MqttVersion.V311, MqttVersion.V500];

    public static MatrixTheoryData<MqttVersion, QualityOfService> Combinations =>
        new([MqttVersion.V311, MqttVersion.V500], Enum.GetValues<QualityOfService>());

    public static MatrixTheoryData<MqttVersion, string> Lines =>
        new([MqttVersion.V311, MqttVersion.V500], ["plain", "password", "tls", "mutual tls", "websocket", "secure websocket"]);

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

    [Theory]
    [MemberData(nameof(Lines))]
    public async Task EveryKindOfLine_Works(MqttVersion version, string line)
    {
        var client = await StartAsync(Over(version, line));
        var texts = await SubscribeAsync(client, "t/+", QualityOfService.ExactlyOnce);
        var large = new string('x', 200_000);
        foreach (var text in (string[])["small", large, ""])
        {
            await client.PublishAsync(Message("t/a", text, QualityOfService.ExactlyOnce), TestTimeout);
            Assert.Equal(text, await texts.ReadAsync(TestTimeout));
        }
        await client.StopAsync(TimeLimit);
        Assert.Equal(LinkState.Stopped, client.State);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task WrongPassword_EndsTheStart(MqttVersion version)
    {
        var client = Create(Over(version, "password") with { Credentials = new MqttCredentials("alice", "wrong") });
        var refusal = await Assert.ThrowsAsync<MqttRefusedException>(() => client.StartAsync(TestTimeout));
        Assert.Equal(0x87, refusal.ReasonCode);
    }

    [Theory]
    [InlineData("tls")]
    [InlineData("secure websocket")]
    public async Task CertificateOfAnUnknownAuthority_IsNotTrusted(string line)
    {
        var client = Create(Over(MqttVersion.V500, line) with { Tls = null });
        Assert.Contains("certificate", await ReasonAsync(client), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("tls")]
    [InlineData("secure websocket")]
    public async Task CertificateOfAnotherName_IsNotTrusted(string line)
    {
        var client = Create(Over(MqttVersion.V500, line) with { TlsServerName = "other.example" });
        Assert.Contains("certificate", await ReasonAsync(client), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task MutualTls_NeedsACertificate()
    {
        var client = Create(Over(MqttVersion.V500, "mutual tls") with { Tls = _server.Trust });
        Assert.NotEmpty(await ReasonAsync(client));
    }

    [Fact]
    public async Task RenewedCertificate_IsUsedFromTheNextConnectionOn()
    {
        var folder = Directory.CreateTempSubdirectory("mooring-renewed-");
        try
        {
            using var stranger = DevelopmentAuthority.LoadOrCreate(Path.Combine(folder.FullName, "ca"), TimeProvider.System);
            var files = stranger.Client("car-1") with { Authorities = _server.Trust.Authorities };
            var client = Create(Over(MqttVersion.V500, "mutual tls") with { Tls = files });
            Assert.NotEmpty(await ReasonAsync(client));
            var good = _server.ClientCertificate;
            File.Copy(good.Key!, files.Key!, overwrite: true);
            File.Copy(good.Certificate!, files.Certificate!, overwrite: true);
            await client.StartAsync(TestTimeout);
            Assert.Equal(LinkState.Up, client.State);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task NobodyListens_IsTold()
    {
        var client = Create(Plain(MqttVersion.V500) with { Server = MosquittoServer.Address("mqtt", FreePort.Next()) });
        Assert.Contains("refused", await ReasonAsync(client), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task NotMqttButHttp_IsTold()
    {
        var client = Create(Plain(MqttVersion.V500) with { Server = MosquittoServer.Address("ws", _server.Plain) });
        Assert.NotEmpty(await ReasonAsync(client));
    }

    [Fact]
    public async Task Properties_TravelThroughTheBroker()
    {
        var client = await StartAsync(Plain(MqttVersion.V500));
        var messages = Channel.CreateBounded<MqttMessage>(1);
        await client.SubscribeAsync(
            new MqttSubscription("t") { Identifier = 5, RetainAsPublished = true },
            (message, token) => messages.Writer.WriteAsync(message, token), TestTimeout);
        await client.PublishAsync(Message("t", "x", QualityOfService.AtLeastOnce) with
        {
            Retain = true,
            PayloadIsUtf8 = true,
            MessageExpirySeconds = 600,
            ContentType = "text/plain",
            ResponseTopic = "answers",
            CorrelationData = "id"u8.ToArray(),
            UserProperties = [new("k", "1"), new("k", "2")],
        }, TestTimeout);
        var message = await messages.Reader.ReadAsync(TestTimeout);
        Assert.True(message is { Retain: true, PayloadIsUtf8: true, ContentType: "text/plain", ResponseTopic: "answers" });
        Assert.InRange(message.MessageExpirySeconds ?? 0, 500u, 600u);
        Assert.Equal([new("k", "1"), new("k", "2")], message.UserProperties);
        Assert.Equal([5u], message.SubscriptionIdentifiers);
    }

    [Fact]
    public async Task SharedSubscription_GivesEachMessageToOne()
    {
        const int count = 100;
        var publisher = await StartAsync(Plain(MqttVersion.V500));
        var texts = Channel.CreateBounded<string>(count * 2);
        for (var i = 0; i < 2; i++)
        {
            var member = await StartAsync(Plain(MqttVersion.V500));
            await member.SubscribeAsync(
                new MqttSubscription("$share/group/work"),
                (message, token) => texts.Writer.WriteAsync(Encoding.UTF8.GetString(message.Payload.Span), token), TestTimeout);
        }
        for (var i = 0; i < count; i++) await publisher.PublishAsync(Message("work", Text(i), QualityOfService.AtLeastOnce), TestTimeout);
        var seen = new HashSet<string>();
        while (seen.Count < count) Assert.True(seen.Add(await texts.Reader.ReadAsync(TestTimeout)));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Will_IsPublishedUnlessTheClientSaysGoodbye(MqttVersion version)
    {
        var watcher = await StartAsync(Plain(version));
        var texts = await SubscribeAsync(watcher, "wills", QualityOfService.AtLeastOnce);
        foreach (var (id, isStopped) in ((string, bool)[])[("polite", true), ("dead", false)])
        {
            var mortal = await StartAsync(Plain(version) with
            {
                ClientId = id,
                Will = new MqttWill(Message("wills", id, QualityOfService.AtLeastOnce)),
            });
            // Another client of the same id takes the session: for the broker, the first one vanishes.
            if (isStopped) await mortal.StopAsync(TimeLimit);
            else await StartAsync(Plain(version) with { ClientId = id });
        }
        Assert.Equal("dead", await texts.ReadAsync(TestTimeout));
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public async Task RestartOfTheBroker_LosesAndDoublesNothing_InPersistentSessions(MqttVersion version, QualityOfService qos)
    {
        if (qos == QualityOfService.AtMostOnce) return;
        const int count = 2000;
        var publisher = await StartAsync(Persistent(version, "publisher"));
        var subscriber = await StartAsync(Persistent(version, "subscriber"));
        var texts = await SubscribeAsync(subscriber, "numbers", qos);
        var publishing = Task.Run(
            async () =>
            {
                for (var i = 0; i < count; i++) await publisher.EnqueueAsync(Message("numbers", Text(i), qos), TestTimeout);
            },
            TestTimeout);
        var received = new List<string>();
        while (received.Count < 200) received.Add(await texts.ReadAsync(TestTimeout));
        await _server.TerminateAsync(TestTimeout);
        await _server.RestartAsync(TestTimeout);
        while (received.Count == 0 || received[^1] != Text(count - 1)) received.Add(await texts.ReadAsync(TestTimeout));
        await publishing;
        Assert.Equal(Enumerable.Range(0, count).Select(Text), qos == QualityOfService.ExactlyOnce ? received : received.Distinct());
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task KilledBroker_IsFoundAgain_AndSubscribedAgain(MqttVersion version)
    {
        var client = await StartAsync(Plain(version));
        var texts = await SubscribeAsync(client, "t", QualityOfService.AtLeastOnce);
        for (var round = 0; round < 3; round++)
        {
            await _server.KillAsync();
            // Accepted while there is no broker: it is sent when there is one.
            var publishing = client.PublishAsync(Message("t", Text(round), QualityOfService.AtLeastOnce), TestTimeout);
            await _server.RestartAsync(TestTimeout);
            await publishing;
            Assert.Equal(Text(round), await texts.ReadAsync(TestTimeout));
        }
    }

    [Fact]
    public async Task FrozenBroker_IsNoticedByTheKeepAlive()
    {
        var client = await StartAsync(Plain(MqttVersion.V500) with
        {
            KeepAlive = TimeSpan.FromSeconds(1),
            PingTimeout = TimeSpan.FromSeconds(1),
        });
        var waiting = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var upAgain = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        client.LinkChanged += move =>
        {
            if (move.To == LinkState.Waiting) waiting.TrySetResult(move.Reason);
            if (move.To == LinkState.Up) upAgain.TrySetResult();
        };
        _server.Freeze();
        Assert.Contains("no PINGRESP", await waiting.Task.WaitAsync(TestTimeout), StringComparison.Ordinal);
        _server.Thaw();
        await upAgain.Task.WaitAsync(TestTimeout);
    }

    private MqttClientOptions Plain(MqttVersion version) => new()
    {
        Server = MosquittoServer.Address("mqtt", _server.Plain),
        Version = version,
        Backoff = BackoffPolicy.Fixed(TimeSpan.FromMilliseconds(50)),
    };

    private MqttClientOptions Persistent(MqttVersion version, string id) =>
        Plain(version) with { ClientId = id, CleanStart = false, SessionExpiry = TimeSpan.FromHours(1) };

    private MqttClientOptions Over(MqttVersion version, string line)
    {
        (string Scheme, int Port, TlsFiles? Tls) made = line switch
        {
            "password" => ("mqtt", _server.WithPassword, null),
            "tls" => ("mqtts", _server.Tls, _server.Trust),
            "mutual tls" => ("mqtts", _server.MutualTls, _server.ClientCertificate),
            "websocket" => ("ws", _server.WebSocket, null),
            "secure websocket" => ("wss", _server.SecureWebSocket, _server.Trust),
            _ => ("mqtt", _server.Plain, null),
        };
        return Plain(version) with
        {
            Server = MosquittoServer.Address(made.Scheme, made.Port),
            Tls = made.Tls,
            Credentials = line == "password" ? new MqttCredentials("alice", "secret") : null,
        };
    }

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

    /// <summary>Why a client cannot connect.</summary>
    private async Task<string> ReasonAsync(Client client)
    {
        var reason = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        client.LinkChanged += move =>
        {
            if (move.To == LinkState.Waiting) reason.TrySetResult(move.Reason);
        };
        _ = client.StartAsync(TestTimeout);
        return await reason.Task.WaitAsync(TestTimeout);
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
