using System.Globalization;
using System.Text;
using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Logging.Abstractions;
using Mooring.Mqtt.Broker;
using Mooring.Mqtt.Broker.Routing;
using Mooring.Mqtt.Broker.Sessions;

namespace Mooring.Benchmarks;

/// <summary>Topic to subscribers, with one exact subscription per car beside a few wildcards: a look-up must not depend on the cars.</summary>
[MemoryDiagnoser]
public class RouteLookupBenchmarks
{
    private readonly byte[] _topic = "company/car_17/external_server"u8.ToArray();
    private readonly byte[] _changing = "company/car_1/other"u8.ToArray();
    private SubscriptionTable _table = null!;
    private Subscription _former = null!;
    private MqttBroker _broker = null!;

    [Params(100, 10_000)]
    public int Cars { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _broker = new MqttBroker(new MqttBrokerOptions { Listeners = [] }, NullLogger<MqttBroker>.Instance, TimeProvider.System);
        _table = new SubscriptionTable(100_000);
        for (var i = 0; i < Cars; i++) Add(string.Create(CultureInfo.InvariantCulture, $"company/car_{i}/external_server"));
        Add("company/+/external_server");
        Add("other/#");
        _former = Make(_changing);
        _table.Set(_former, null);
    }

    [GlobalCleanup]
    public void Stop() => _broker.DisposeAsync().AsTask().GetAwaiter().GetResult();

    [Benchmark]
    public int Find() => _table.Find(_topic).Targets.Length;

    /// <summary>A subscription changed somewhere: the route is computed again.</summary>
    [Benchmark]
    public int FindAfterAChange()
    {
        _table.Set(_former, _former);
        return _table.Find(_topic).Targets.Length;
    }

    private void Add(string filter) => _table.Set(Make(Encoding.UTF8.GetBytes(filter)), null);

    private Subscription Make(byte[] filter) =>
        new(new Session("s", new MqttBrokerLimits(), _broker.Counters), filter, filter, [], 1, 0);
}
