using Mooring.Kernel.Links;
using Mooring.Kernel.Options;
using Mooring.Mqtt.Client;
using Mooring.Mqtt.Codec;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Client;

/// <summary>CONNECT, CONNACK and what a broker may say instead.</summary>
public sealed class ConnectTests : ClientTest
{
    [Fact]
    public async Task Connect_CarriesWhatWasAsked_V311()
    {
        var (_, _, connection) = await StartAsync(Options with
        {
            Version = MqttVersion.V311,
            KeepAlive = TimeSpan.FromSeconds(15),
            Credentials = new MqttCredentials("u", "p"),
            Will = new MqttWill(new MqttMessage { Topic = "w", Payload = "x"u8.ToArray(), QualityOfService = QualityOfService.AtLeastOnce, Retain = true }),
        });
        Assert.Equal("Connect V311 clean keep=15 id=c will=w:78:q1r user=u password=70", connection.Connect);
    }

    [Fact]
    public async Task Connect_CarriesWhatWasAsked_V500()
    {
        var (_, _, connection) = await StartAsync(Options with
        {
            CleanStart = false,
            SessionExpiry = TimeSpan.FromSeconds(258),
            UserProperties = [new("a", "b")],
            Limits = new MqttClientLimits { ReceiveMaximum = 7, MaximumPacketBytes = 4096, InboundTopicAliases = 3 },
        });
        Assert.Equal("Connect V500 keep=0 id=c props=1100000102" + "210007" + "2700001000" + "220003" + "26000161000162", connection.Connect);
    }

    [Theory]
    [InlineData(MqttVersion.V311, "20020001", 0x84)]
    [InlineData(MqttVersion.V311, "20020002", 0x85)]
    [InlineData(MqttVersion.V311, "20020004", 0x86)]
    [InlineData(MqttVersion.V311, "20020005", 0x87)]
    [InlineData(MqttVersion.V500, "2003008600", 0x86)]
    [InlineData(MqttVersion.V500, "2003008700", 0x87)]
    [InlineData(MqttVersion.V500, "2003008A00", 0x8A)]
    [InlineData(MqttVersion.V500, "20020001", 0x84)]
    public async Task Refusal_EndsTheStartWithItsCode(MqttVersion version, string connack, byte reason)
    {
        var (broker, client) = Create(version);
        var starting = client.StartAsync(TestTimeout);
        var connection = await broker.AcceptAsync(TestTimeout);
        await connection.ReceiveAsync();
        await connection.SendAsync(connack);
        var refusal = await Assert.ThrowsAsync<MqttRefusedException>(() => starting);
        Assert.Equal(reason, refusal.ReasonCode);
        Assert.Equal(LinkState.Stopped, client.State);
        Assert.Equal(1, broker.Dials);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await client.PublishAsync(Message("a", "", 0), TestTimeout));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task BrokerThatIsUnavailable_IsTriedAgain(MqttVersion version)
    {
        var (broker, client) = Create(version);
        var starting = client.StartAsync(TestTimeout);
        var connection = await broker.AcceptAsync(TestTimeout);
        await connection.ReceiveAsync();
        await connection.ConnAckAsync(reason: MqttReasonCode.ServerUnavailable);
        await broker.ConnectAsync(TestTimeout);
        await starting;
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task RefusalAfterAnEarlierSuccess_IsTriedAgain(MqttVersion version)
    {
        var (broker, client, first) = await StartAsync(version);
        var up = Moves(client, LinkState.Up);
        await first.CloseAsync();
        var second = await broker.AcceptAsync(TestTimeout);
        await second.ReceiveAsync();
        await second.ConnAckAsync(reason: MqttReasonCode.NotAuthorized);
        await broker.ConnectAsync(TestTimeout);
        await up.ReadAsync(TestTimeout);
    }

    [Fact]
    public async Task ReasonString_IsTold()
    {
        var (broker, client) = Create(MqttVersion.V500);
        var starting = client.StartAsync(TestTimeout);
        var connection = await broker.AcceptAsync(TestTimeout);
        await connection.ReceiveAsync();
        await connection.ConnAckAsync(reason: MqttReasonCode.Banned, properties: "1F0004" + Hex("spam"));
        var refusal = await Assert.ThrowsAsync<MqttRefusedException>(() => starting);
        Assert.Contains("'spam'", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SilentBroker_IsLeftAfterTheConnectTimeout()
    {
        var clock = new TestClock();
        var (broker, client) = Create(Options, clock);
        var waiting = Moves(client, LinkState.Waiting);
        _ = client.StartAsync(TestTimeout);
        await (await broker.AcceptAsync(TestTimeout)).ReceiveAsync();
        await clock.WhenTimersAsync(1, TestTimeout);
        clock.Advance(Options.Limits.ConnectTimeout);
        Assert.Contains("no answer from mqtt://broker.example", (await waiting.ReadAsync(TestTimeout)).Reason, StringComparison.Ordinal);
        await clock.WhenTimersAsync(1, TestTimeout);
        clock.AdvanceToNextTimer();
        await broker.ConnectAsync(TestTimeout);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task SessionPresentAfterACleanStart_IsAProtocolError(MqttVersion version)
    {
        var (broker, client) = Create(version);
        var starting = client.StartAsync(TestTimeout);
        await broker.ConnectAsync(TestTimeout, sessionPresent: true);
        await LoggedAsync(2005);
        await broker.ConnectAsync(TestTimeout);
        await starting;
    }

    [Theory]
    [InlineData("D000", "PingResp instead of CONNACK")]
    [InlineData("300300016100", "Publish instead of CONNACK")]
    [InlineData("F00118", "Auth instead of CONNACK")]
    [InlineData("2003020000", "reserved CONNACK flags")]
    [InlineData("2003000100", "reason code 0x01 may not stand in CONNACK")]
    [InlineData("20060000032101", "")]
    [InlineData("00", "first byte 0x00")]
    [InlineData("20FFFFFFFF7F", "more than four bytes")]
    [InlineData("20FFFFFF7F", "packet of 268435460 bytes")]
    public async Task OtherThanConnAck_IsAProtocolErrorAndTriedAgain(string hex, string reason)
    {
        var (broker, client) = Create(MqttVersion.V500);
        var starting = client.StartAsync(TestTimeout);
        var connection = await broker.AcceptAsync(TestTimeout);
        await connection.ReceiveAsync();
        await connection.SendAsync(hex);
        await connection.CloseAsync();
        if (reason.Length > 0) Assert.Contains(reason, (await LoggedAsync(2005)).Message, StringComparison.Ordinal);
        await broker.ConnectAsync(TestTimeout);
        await starting;
    }

    [Fact]
    public async Task AssignedClientIdentifier_IsUsedAgain()
    {
        var (broker, client, first) = await StartAsync(Options with { ClientId = "" }, connack: "120003" + Hex("xyz"));
        Assert.Equal("xyz", client.ClientId);
        await first.CloseAsync();
        var second = await broker.ConnectAsync(TestTimeout);
        Assert.Contains("id=xyz", second.Connect, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ClientIdentifier_IsRandomUnlessGiven()
    {
        var (_, one, _) = await StartAsync(Options with { ClientId = null });
        var (_, other, _) = await StartAsync(Options with { ClientId = null });
        Assert.NotEqual(one.ClientId, other.ClientId);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Reconnect_OfAPersistentSession_DoesNotBeginClean(MqttVersion version)
    {
        var options = Persistent(version) with { CleanStart = version == MqttVersion.V500 };
        var (broker, _, first) = await StartAsync(options);
        Assert.Equal(version == MqttVersion.V500, first.Connect.Contains(" clean", StringComparison.Ordinal));
        await first.CloseAsync();
        var second = await broker.ConnectAsync(TestTimeout, sessionPresent: true);
        Assert.DoesNotContain(" clean", second.Connect, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_ReportEverythingThatIsWrong()
    {
        var wrong = new MqttClientOptions
        {
            Server = new Uri("http://user:pw@host/"),
            Version = MqttVersion.V311,
            SessionExpiry = TimeSpan.FromSeconds(1.5),
            KeepAlive = TimeSpan.FromDays(1),
            Credentials = new MqttCredentials(null, "p"),
            Will = new MqttWill(new MqttMessage { Topic = "a/#" }),
            Limits = new MqttClientLimits { QueuedMessages = 0, InFlightMessages = 0 },
        };
        var errors = Assert.Throws<ConfigurationException>(() => new MqttClient(wrong)).Errors.Select(error => error.Key);
        Assert.Superset(
            new HashSet<string> { "server", "sessionExpiry", "cleanStart", "keepAlive", "credentials.userName", "will.topic", "limits.queuedMessages", "limits.inFlightMessages" },
            errors.ToHashSet());
    }

    [Fact]
    public void Password_IsNotShown() => Assert.DoesNotContain("secret", new MqttCredentials("u", "secret").ToString(), StringComparison.Ordinal);
}
