using System.Buffers.Binary;
using System.Net;
using System.Runtime.Versioning;
using Mooring.Bench.Processes;

namespace Mooring.Bench.Mqtt;

/// <summary>
/// Publishes as fast as the deliveries come back. Payload: u32 publisher, u32 number, i64 time of sending; per subscriber and
/// publisher the numbers must come in sequence, which shows loss, reordering and duplicates.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class ThroughputRun : ILoadHandler, IDisposable
{
    private static readonly TimeSpan ConnectWithin = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan DrainWithin = TimeSpan.FromSeconds(10);
    private const int NumberOffset = 4;
    private const int TimeOffset = 8;
    private const int WaitMilliseconds = 100;

    private readonly MqttScenario _scenario;
    private readonly TimeProvider _time;
    private readonly double _nanosecondsPerTick;
    private readonly LoadLoop _loop;
    private readonly LoadConnection[] _publishers;
    private readonly Frame[] _frames;
    private readonly uint[] _sent;
    private readonly long[] _deliveredOf;
    private readonly uint[][] _expected;
    private readonly LatencyHistogram _latency = new();
    private long _delivered;
    private long _acknowledged;
    private long _lost;
    private long _reordered;

    internal ThroughputRun(MqttScenario scenario, IPEndPoint server, int payloadBytes, TimeProvider time)
    {
        _scenario = scenario;
        _time = time;
        _nanosecondsPerTick = 1e9 / time.TimestampFrequency;
        _loop = new LoadLoop(server, time, this);
        var prefix = $"load-{Environment.ProcessId}-{scenario.Name}-";
        var quality = scenario.QualityOfService;
        if (scenario.IdleConnections > 0)
            _loop.Connect(scenario.IdleConnections, prefix + "i", 0, i => $"load/idle/{i}", quality, ConnectWithin);
        _loop.Connect(scenario.Subscribers, prefix + "s", 0, i => scenario.InPairs ? Topic(i) : "load/+", quality, ConnectWithin);
        _publishers = _loop.Connect(scenario.Publishers, prefix + "p", 0, null, quality, ConnectWithin);
        _frames = [.. Enumerable.Range(0, scenario.Publishers).Select(i => new Frame(Topic(i), quality, payloadBytes))];
        _sent = new uint[scenario.Publishers];
        _deliveredOf = new long[scenario.Publishers];
        _expected = [.. Enumerable.Range(0, scenario.Subscribers).Select(_ => new uint[scenario.Publishers])];
    }

    internal RunResult Run(TimeSpan warmUp, TimeSpan duration, int? serverProcess, CancellationToken cancellationToken)
    {
        Drive(warmUp, cancellationToken);
        _latency.Clear();
        var before = ProcessSample.Of(serverProcess);
        var deliveredBefore = _delivered;
        var started = _time.GetTimestamp();
        Drive(duration, cancellationToken);
        var elapsed = _time.GetElapsedTime(started).TotalSeconds;
        var delivered = _delivered - deliveredBefore;
        var after = ProcessSample.Of(serverProcess);
        var missing = Drain();
        return new RunResult
        {
            Rate = delivered / elapsed,
            CpuPerMillion = (after?.CpuSeconds - before?.CpuSeconds) / delivered * 1e6 ?? double.NaN,
            P50Microseconds = _latency.Microseconds(0.5),
            P99Microseconds = _latency.Microseconds(0.99),
            P999Microseconds = _latency.Microseconds(0.999),
            ResidentMegabytes = after?.ResidentKilobytes / 1024.0 ?? double.NaN,
            Threads = after?.Threads ?? 0,
            Lost = _lost + missing,
            Reordered = _reordered,
        };
    }

    public void OnDelivery(LoadConnection connection, ReadOnlySpan<byte> payload, int qualityOfService, ushort packetId)
    {
        var publisher = (int)BinaryPrimitives.ReadUInt32LittleEndian(payload);
        var number = BinaryPrimitives.ReadUInt32LittleEndian(payload[NumberOffset..]);
        ref var expected = ref _expected[connection.Role][publisher];
        if (number >= expected)
        {
            var skipped = number - expected;
            _lost += skipped;
            _deliveredOf[publisher] += skipped + 1;
            expected = number + 1;
        }
        else
        {
            _reordered++;
        }
        _delivered++;
        _latency.Record((long)((_loop.ReadAt - BinaryPrimitives.ReadInt64LittleEndian(payload[TimeOffset..])) * _nanosecondsPerTick));
        if (qualityOfService == 0) return;
        var ack = connection.Append(MqttBytes.AckBytes);
        ack[0] = MqttBytes.PublishAck;
        ack[1] = MqttBytes.AckBytes - 2;
        BinaryPrimitives.WriteUInt16BigEndian(ack[2..], packetId);
    }

    public void OnAcknowledged(LoadConnection connection, ushort packetId) => _acknowledged++;

    public void OnTimer(long expirations)
    {
    }

    public void Dispose() => _loop.Dispose();

    private static string Topic(int publisher) => $"load/{publisher}";

    private void Drive(TimeSpan duration, CancellationToken cancellationToken)
    {
        var end = _time.GetTimestamp() + (long)(duration.TotalSeconds * _time.TimestampFrequency);
        while (_time.GetTimestamp() < end)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (var i = 0; i < _publishers.Length; i++) Publish(i);
            _loop.Turn(WaitMilliseconds);
        }
    }

    private void Publish(int publisher)
    {
        var connection = _publishers[publisher];
        var room = _scenario.Window - (int)((_sent[publisher] * (long)_scenario.FanOut - _deliveredOf[publisher] + _scenario.FanOut - 1) / _scenario.FanOut);
        while (room >= _scenario.Batch && !connection.HasOutput)
        {
            var now = _time.GetTimestamp();
            for (var i = 0; i < _scenario.Batch; i++) _frames[publisher].AppendTo(connection, publisher, _sent[publisher]++, now);
            room -= _scenario.Batch;
            _loop.Flush(connection);
        }
    }

    /// <summary>Waits for what is under way; returns what never came.</summary>
    private long Drain()
    {
        var started = _time.GetTimestamp();
        long Missing() => _sent.Sum(count => (long)count) * _scenario.FanOut - _deliveredOf.Sum();
        long Unacknowledged() => _scenario.QualityOfService == 0 ? 0 : _sent.Sum(count => (long)count) - _acknowledged;
        while (Missing() + Unacknowledged() > 0 && _time.GetElapsedTime(started) < DrainWithin)
        {
            _loop.Turn(WaitMilliseconds);
        }
        return Missing() + Unacknowledged();
    }

    /// <summary>The PUBLISH of one publisher, encoded once; only the numbers in it change.</summary>
    private sealed class Frame
    {
        private readonly byte[] _bytes;
        private readonly int _idAt;
        private readonly int _payloadAt;
        private readonly bool _hasId;

        internal Frame(string topic, int qualityOfService, int payloadBytes)
        {
            _bytes = MqttBytes.EncodePublish(topic, qualityOfService, payloadBytes, out _idAt, out _payloadAt);
            _hasId = qualityOfService > 0;
        }

        internal void AppendTo(LoadConnection connection, int publisher, uint number, long now)
        {
            var space = connection.Append(_bytes.Length);
            _bytes.CopyTo(space);
            if (_hasId) BinaryPrimitives.WriteUInt16BigEndian(space[_idAt..], (ushort)(number % ushort.MaxValue + 1));
            var payload = space[_payloadAt..];
            BinaryPrimitives.WriteUInt32LittleEndian(payload, (uint)publisher);
            BinaryPrimitives.WriteUInt32LittleEndian(payload[NumberOffset..], number);
            BinaryPrimitives.WriteInt64LittleEndian(payload[TimeOffset..], now);
        }
    }
}
