using System.Text;
using BenchmarkDotNet.Attributes;
using Mooring.Mqtt.Codec;

namespace Mooring.Benchmarks;

/// <summary>One filter against one topic name, and the checks on both.</summary>
[MemoryDiagnoser]
public class TopicFilterBenchmarks
{
    private readonly byte[] _topic = "company/car_17/module_gateway"u8.ToArray();
    private byte[] _filter = [];

    [Params("company/car_17/module_gateway", "company/+/module_gateway", "company/#")]
    public string Filter { get; set; } = "";

    [GlobalSetup]
    public void Encode() => _filter = Encoding.UTF8.GetBytes(Filter);

    [Benchmark]
    public bool Matches() => TopicFilter.Matches(_filter, _topic);

    [Benchmark]
    public bool IsValid() => TopicFilter.IsValid(_filter);
}
