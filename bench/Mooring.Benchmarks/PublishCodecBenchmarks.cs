using System.Buffers;
using BenchmarkDotNet.Attributes;
using Mooring.Mqtt;
using Mooring.Mqtt.Codec;

namespace Mooring.Benchmarks;

/// <summary>The hot path of a broker: one PUBLISH in, one out. Neither may allocate.</summary>
[MemoryDiagnoser]
public class PublishCodecBenchmarks
{
    private const int PacketLimit = 1 << 20;
    private readonly byte[] _topic = "company/car_17/module_gateway"u8.ToArray();
    private readonly byte[] _payload = new byte[100];
    private readonly ArrayBufferWriter<byte> _output = new(4096);
    private byte[] _frame = [];

    [Params(MqttVersion.V311, MqttVersion.V500)]
    public MqttVersion Version { get; set; }

    [GlobalSetup]
    public void Encode()
    {
        var output = new ArrayBufferWriter<byte>();
        MqttPackets.WritePublish(output, Version, 0x02, _topic, 7, default, _payload);
        _frame = output.WrittenSpan.ToArray();
    }

    [Benchmark]
    public int ReadPublish()
    {
        MqttFraming.TryRead(_frame, PacketLimit, out var frame);
        return PublishView.Read(frame, Version).Payload.Length;
    }

    [Benchmark]
    public int ReadPublishOfTheSameTopic()
    {
        MqttFraming.TryRead(_frame, PacketLimit, out var frame);
        return PublishView.Read(frame, Version, _topic).Payload.Length;
    }

    [Benchmark]
    public int WritePublish()
    {
        _output.ResetWrittenCount();
        MqttPackets.WritePublish(_output, Version, 0x02, _topic, 7, default, _payload);
        return _output.WrittenCount;
    }

    [Benchmark]
    public int WriteAck()
    {
        _output.ResetWrittenCount();
        MqttPackets.WriteAck(_output, MqttPacketType.PubAck, Version, 7);
        return _output.WrittenCount;
    }
}
