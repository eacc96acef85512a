namespace Mooring.Cli.Tests.Fleet;

/// <summary>A broker that is still connected and answers nothing, as behind a cable that was pulled.</summary>
[Trait("Peer", "real")]
public sealed class FleetHalfOpenBrokerTests : FleetProcessTest
{
    [Fact]
    public async Task BrokerThatFallsSilent_isLeft_whenTheKeepAliveIsOver_andTheCarConnectsAgain()
    {
        var broker = Own(new Mosquitto(Folder));
        await broker.StartAsync(TestTimeout);
        Configure(broker.Port);
        var fleet = StartFleet();
        await broker.SubscribedAsync("company/car/module_gateway", TestTimeout);
        var gateway = Own(await ShellGateway.StartAsync(broker, "car", TestTimeout));
        await gateway.ConnectAsync("sess0001", TestTimeout);

        broker.Freeze();
        await fleet.LineAsync("session sess0001 ended: the broker was lost", TestTimeout);
        broker.Thaw();

        var again = Own(await ShellGateway.StartAsync(broker, "car", TestTimeout));
        await fleet.LineAsync(new Reconnections(2).IsLast, "a second connection", TestTimeout);
        await again.SendAsync(GatewayBytes.Connect("sess0002", "car"), TestTimeout);
        var answer = await again.NextAsync(TestTimeout);
        // The note of the lost session may have waited in the broker.
        if (answer == ShellGateway.Note) answer = await again.NextAsync(TestTimeout);
        Assert.Equal("external_server 0a0a0a087365737330303032", answer);
    }

    private sealed class Reconnections(int count)
    {
        private int _seen;

        internal bool IsLast(string line) => line.Contains("-> Connected", StringComparison.Ordinal) && ++_seen == count;
    }
}
