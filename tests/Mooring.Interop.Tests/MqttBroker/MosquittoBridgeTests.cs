using Mooring.Mqtt.Broker;
using Mooring.Testing;

namespace Mooring.Interop.Tests.MqttBroker;

/// <summary>A mosquitto that is connected to our broker as a bridge.</summary>
[Trait("Peer", "real")]
public sealed class MosquittoBridgeTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-bridge-").FullName;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData("mqttv311")]
    [InlineData("mqttv50")]
    public async Task Bridge_CarriesMessagesBothWays(string version)
    {
        var host = Own(await BrokerHost.StartAsync(Log, null, TestTimeout));
        var (ours, theirs) = (host.Port(MqttTransport.Tcp), $"{FreePort.Next()}");
        var file = Path.Combine(_folder, "mosquitto.conf");
        await File.WriteAllTextAsync(
            file,
            $"listener {theirs} 127.0.0.1\nallow_anonymous true\nconnection ours\naddress 127.0.0.1:{ours}\nbridge_protocol_version {version}\n"
            + "restart_timeout 1\ntopic up/# out 2\ntopic down/# in 2\ncleansession false\n",
            TestTimeout);
        var program = File.Exists("/usr/sbin/mosquitto") ? "/usr/sbin/mosquitto" : "mosquitto";
        await using var bridge = ProcessUnderTest.Start(program, ["-v", "-c", file]);
        await bridge.LineAsync("Received SUBACK", TestTimeout);

        await using var above = ProcessUnderTest.Start("mosquitto_sub", ["-p", ours, "-t", "up/#", "-v", "-q", "2"]);
        await Eventually.TrueAsync(() => host.Broker.SubscriptionCount >= 2, "both subscriptions", TestTimeout);
        await PublishAsync(theirs, "up/a", "hello");
        await above.LineAsync("up/a hello", TestTimeout);
        await using var below = ProcessUnderTest.Start("mosquitto_sub", ["-p", theirs, "-t", "down/#", "-v", "-q", "2"]);
        await bridge.LineAsync("Sending SUBACK", TestTimeout);
        await PublishAsync(ours, "down/b", "servus");
        await below.LineAsync("down/b servus", TestTimeout);
    }

    private async Task PublishAsync(string port, string topic, string message)
    {
        await using var publisher = ProcessUnderTest.Start("mosquitto_pub", ["-p", port, "-t", topic, "-m", message, "-q", "2"]);
        Assert.Equal(0, await publisher.ExitAsync(TestTimeout));
    }
}
