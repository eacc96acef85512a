using Mooring.Kernel.Tls;
using Mooring.Mqtt.Broker;
using Mooring.Testing;

namespace Mooring.Interop.Tests.MqttBroker;

/// <summary>mosquitto_pub, mosquitto_sub and mosquitto_rr with what identifies clients, and with the features of 5.0.</summary>
[Trait("Peer", "real")]
public sealed class MosquittoSecureTests : MooringTest
{
    private static readonly IReadOnlyList<AccessRule> Rules =
    [
        .. AccessRule.FleetCar,
        new(true, AccessAction.Publish, "acme/%u/module_gateway"),
        new(true, AccessAction.All, "#") { User = "operator" },
        new(true, AccessAction.Subscribe, "$SYS/#") { User = "operator" },
        new(true, AccessAction.Subscribe, "$share/#") { User = "operator" },
    ];

    [Theory]
    [InlineData("mqttv31")]
    [InlineData("mqttv311")]
    [InlineData("mqttv5")]
    public async Task CertificateOfACar_LetsItSpeakAsItself_AndNotAsAnother(string version)
    {
        var host = await StartAsync(ClientCertificates.Required);
        var car = Certificate(host, "car1");
        await using var heard = Start(
            "mosquitto_sub", host, MqttTransport.Tls, [.. Certificate(host, "operator"), "-V", version, "-t", "#", "-v", "-q", "1"]);
        await SubscribedAsync(host, 1);
        await RunAsync(0, "mosquitto_pub", host, MqttTransport.Tls, [.. car, "-V", version, "-q", "1", "-t", "acme/car2/module_gateway", "-m", "foreign"]);
        await RunAsync(0, "mosquitto_pub", host, MqttTransport.Tls, [.. car, "-V", version, "-q", "1", "-t", "acme/car1/module_gateway", "-m", "own"]);
        Assert.Equal("acme/car1/module_gateway own", await heard.LineAsync("module_gateway", TestTimeout));
    }

    [Fact]
    public async Task NoCertificate_AndAServerThatIsNotTrusted_AreBothTheEnd()
    {
        var host = await StartAsync(ClientCertificates.Required);
        Assert.NotEqual(0, await ExitAsync("mosquitto_pub", host, MqttTransport.Tls, ["--cafile", host.CaFile, "-t", "t", "-m", "x"]));
        Assert.NotEqual(0, await ExitAsync("mosquitto_pub", host, MqttTransport.Tls, ["--tls-use-os-certs", "-t", "t", "-m", "x"]));
        Assert.Equal(0, host.Broker.Sessions);
    }

    [Theory]
    [InlineData("mqttv311", 5)]
    [InlineData("mqttv5", 134)]
    public async Task WrongPassword_IsToldAsTheVersionCan_AndTheRightOneWorks(string version, int code)
    {
        var host = await StartAsync(ClientCertificates.NotAsked);
        await RunAsync(code, "mosquitto_pub", host, MqttTransport.Tcp, ["-V", version, "-u", "operator", "-P", "wrong", "-t", "t", "-m", "x"]);
        await RunAsync(0, "mosquitto_pub", host, MqttTransport.Tcp, ["-V", version, "-u", "operator", "-P", "secret", "-t", "t", "-m", "x"]);
    }

    [Fact]
    public async Task FilterThatIsNotAllowed_IsRefused()
    {
        var host = await StartAsync(ClientCertificates.NotAsked);
        await using var refused = Start(
            "mosquitto_sub", host, MqttTransport.Tcp, ["-V", "mqttv5", "-u", "acme/car1", "-P", "secret", "-t", "acme/car2/external_server"]);
        await refused.LineAsync("denied", TestTimeout);
        Assert.Equal(0, host.Broker.SubscriptionCount);
    }

    [Fact]
    public async Task RequestAndResponse_CarryTheirProperties()
    {
        var host = await StartAsync(ClientCertificates.NotAsked);
        await using var answerer = Start(
            "mosquitto_sub", host, MqttTransport.Tcp,
            [.. Operator, "-V", "mqttv5", "-t", "question", "-F", "%R|%D|%P|%C|%p", "-q", "1", "-C", "1"]);
        await SubscribedAsync(host, 1);
        await using var asker = Start(
            "mosquitto_rr", host, MqttTransport.Tcp,
            [.. Operator, "-V", "mqttv5", "-t", "question", "-e", "answer/here", "-m", "how?", "-D", "publish", "correlation-data", "7",
             "-D", "publish", "user-property", "b", "2", "-D", "publish", "content-type", "text/plain"]);
        Assert.Equal("answer/here|7|b:2|text/plain|how?", await answerer.LineAsync("|", TestTimeout));
        await RunAsync(
            0, "mosquitto_pub", host, MqttTransport.Tcp,
            [.. Operator, "-V", "mqttv5", "-t", "answer/here", "-m", "so", "-D", "publish", "correlation-data", "7"]);
        Assert.Equal("so", await asker.LineAsync("so", TestTimeout));
    }

    [Fact]
    public async Task SharedSubscription_DealsMessagesOut()
    {
        var host = await StartAsync(ClientCertificates.NotAsked);
        string[] member = [.. Operator, "-V", "mqttv5", "-t", "$share/g/work", "-q", "1", "-C", "3"];
        await using var one = Start("mosquitto_sub", host, MqttTransport.Tcp, member);
        await using var two = Start("mosquitto_sub", host, MqttTransport.Tcp, member);
        await SubscribedAsync(host, 2);
        for (var i = 0; i < 6; i++) await RunAsync(0, "mosquitto_pub", host, MqttTransport.Tcp, [.. Operator, "-t", "work", "-m", $"job {i}", "-q", "1"]);
        Assert.Equal(0, await one.ExitAsync(TestTimeout));
        Assert.Equal(0, await two.ExitAsync(TestTimeout));
        Assert.Equal(6, one.Lines.Concat(two.Lines).Distinct().Count());
    }

    [Fact]
    public async Task SystemTopics_AreThereForThoseWhoMay()
    {
        var host = await StartAsync(ClientCertificates.NotAsked);
        await using var watcher = Start(
            "mosquitto_sub", host, MqttTransport.Tcp, [.. Operator, "-t", "$SYS/broker/version", "-t", "$SYS/broker/clients/connected", "-v", "-C", "2"]);
        Assert.StartsWith("$SYS/broker/version mooring", await watcher.LineAsync("version", TestTimeout), StringComparison.Ordinal);
        await watcher.LineAsync("clients/connected", TestTimeout);
    }

    [Fact]
    public async Task SecondClientOfAnIdentifier_TakesOver_AndTheFirstIsTold()
    {
        var host = await StartAsync(ClientCertificates.NotAsked);
        await using var first = Start("mosquitto_sub", host, MqttTransport.Tcp, [.. Operator, "-V", "mqttv5", "-i", "same", "-t", "t", "-d"]);
        await SubscribedAsync(host, 1);
        await using var second = Start("mosquitto_sub", host, MqttTransport.Tcp, [.. Operator, "-V", "mqttv5", "-i", "same", "-t", "t", "-C", "1"]);
        await first.LineAsync("DISCONNECT (142)", TestTimeout);
        // mosquitto_sub comes back at once; it shall not do so for ever.
        first.Kill();
        Assert.InRange(host.Broker.Sessions, 1, 1);
    }

    private static string[] Operator => ["-u", "operator", "-P", "secret"];

    private static string[] Certificate(BrokerHost host, string name)
    {
        var files = host.Client(name);
        return ["--cafile", host.CaFile, "--cert", files.Certificate!, "--key", files.Key!];
    }

    private async Task<BrokerHost> StartAsync(ClientCertificates certificates) => Own(await BrokerHost.StartAsync(
        Log,
        (options, folder) =>
        {
            var users = Path.Combine(folder, "users");
            UsersFile.Set(users, "operator", "secret", iterations: 1000);
            UsersFile.Set(users, "acme/car1", "secret", iterations: 1000);
            return options with
            {
                UsersFile = users,
                AccessRules = Rules,
                Listeners = [.. options.Listeners.Select(listener => listener with { ClientCertificates = listener.Tls is null ? default : certificates })],
            };
        },
        TestTimeout));

    private static ProcessUnderTest Start(string program, BrokerHost host, MqttTransport transport, string[] arguments) =>
        ProcessUnderTest.Start(program, ["-h", "localhost", "-p", host.Port(transport), .. arguments]);

    private async Task<int> ExitAsync(string program, BrokerHost host, MqttTransport transport, string[] arguments)
    {
        await using var process = Start(program, host, transport, arguments);
        return await process.ExitAsync(TestTimeout);
    }

    private async Task RunAsync(int expected, string program, BrokerHost host, MqttTransport transport, string[] arguments) =>
        Assert.Equal(expected, await ExitAsync(program, host, transport, arguments));

    private Task SubscribedAsync(BrokerHost host, int count) =>
        Eventually.TrueAsync(() => host.Broker.SubscriptionCount >= count, $"{count} subscriptions", TestTimeout);
}
