using Mooring.Mqtt.Broker;
using Mooring.Testing;

namespace Mooring.Interop.Tests.MqttBroker;

/// <summary>The npm package mqtt against the broker, over every transport; the scenarios are in <c>tests/peers/mqtt-broker.js</c>.</summary>
[Trait("Peer", "real")]
public sealed class NodeMqttTests : MooringTest
{
    public static TheoryData<string, int> TransportsAndVersions
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var transport in Enum.GetNames<MqttTransport>())
            {
                data.Add(transport, 4);
                data.Add(transport, 5);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(TransportsAndVersions))]
    public async Task Every_scenario_passes(string transport, int version)
    {
        var host = Own(await BrokerHost.StartAsync(Log, null, TestTimeout));
        var start = NodePeer.Start("mqtt-broker.js", host.Url(Enum.Parse<MqttTransport>(transport)), $"{version}", host.CaFile);
        await using var node = ProcessUnderTest.Start(start);
        await node.LineAsync("all passed", TestTimeout);
        Assert.Equal(version == 5 ? 24 : 12, node.Lines.Count(line => line.StartsWith("ok ", StringComparison.Ordinal)));
    }
}
