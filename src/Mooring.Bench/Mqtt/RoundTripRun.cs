using System.Buffers.Binary;
using System.Net;
using System.Runtime.Versioning;
using Mooring.Bench.Processes;

namespace Mooring.Bench.Mqtt;

/// <summary>Requests at a fixed rate on one connection, echoed by a second: two brokered hops. Open loop: a late answer delays nothing.</summary>
[SupportedOSPlatform("linux")]
internal sealed class RoundTripRun : ILoadHandler, IDisposable
{
    private const int PerSecond = 500;
    private const int Asker = 0;
    private const int Echoer = 1;
    private const int NumberOffset = 0;
    private const int TimeOffset = 8;
    private const int WaitMilliseconds = 100;
    private static readonly TimeSpan ConnectWithin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan DrainWithin = TimeSpan.FromSeconds(5);

    private readonly TimeProvider _time;
    private readonly LoadLoop _loop;
    private readonly LoadConnection[] _ends;
    private readonly byte[][] _frames = new byte[2][];
    private readonly int _quality;
    private readonly LatencyHistogram _latency = new();
    private readonly double _nanosecondsPerTick;
    private int _idAt;
    private int _payloadAt;
    private ushort _id;
    private long _asked;
    private long _answered;
    private long _reordered;

    internal RoundTripRun(MqttScenario scenario, IPEndPoint server, int payloadBytes, TimeProvider time)
    {
        _time = time;
        _nanosecondsPerTick = 1e9 / time.TimestampFrequency;
        _quality = scenario.QualityOfService;
        _loop = new LoadLoop(server, time, this);
        // The asker listens to topic 0 and writes to topic 1, the echoer the other way round.
        _ends = _loop.Connect(
            2, $"load-{Environment.ProcessId}-{scenario.Name}-", 0, i => $"load/echo/{i}", _quality, ConnectWithin);
        for (var i = 0; i < 2; i++)
            _frames[i] = MqttBytes.EncodePublish($"load/echo/{1 - i}", _quality, payloadBytes, out _idAt, out _payloadAt);
    }

    internal RunResult Run(TimeSpan warmUp, TimeSpan duration, int? serverProcess, CancellationToken cancellationToken)
    {
        _loop.StartTimer(TimeSpan.FromSeconds(1.0 / PerSecond));
        Drive(warmUp, cancellationToken);
        _latency.Clear();
        var before = ProcessSample.Of(serverProcess);
        var answeredBefore = _answered;
        var started = _time.GetTimestamp();
        Drive(duration, cancellationToken);
        var answered = _answered - answeredBefore;
        var elapsed = _time.GetElapsedTime(started).TotalSeconds;
        var after = ProcessSample.Of(serverProcess);
        var asked = _asked;
        var drain = _time.GetTimestamp();
        while (_answered < asked && _time.GetElapsedTime(drain) < DrainWithin) _loop.Turn(WaitMilliseconds);
        return new RunResult
        {
            Rate = answered / elapsed,
            CpuPerMillion = (after?.CpuSeconds - before?.CpuSeconds) / answered * 1e6 ?? double.NaN,
            P50Microseconds = _latency.Microseconds(0.5),
            P99Microseconds = _latency.Microseconds(0.99),
            P999Microseconds = _latency.Microseconds(0.999),
            ResidentMegabytes = after?.ResidentKilobytes / 1024.0 ?? double.NaN,
            Threads = after?.Threads ?? 0,
            Lost = Math.Max(0, asked - _answered),
            Reordered = _reordered,
        };
    }

    public void OnDelivery(LoadConnection connection, ReadOnlySpan<byte> payload, int qualityOfService, ushort packetId)
    {
        if (qualityOfService > 0)
        {
            var ack = connection.Append(MqttBytes.AckBytes);
            ack[0] = MqttBytes.PublishAck;
            ack[1] = MqttBytes.AckBytes - 2;
            BinaryPrimitives.WriteUInt16BigEndian(ack[2..], packetId);
        }
        var number = BinaryPrimitives.ReadInt64LittleEndian(payload[NumberOffset..]);
        var sentAt = BinaryPrimitives.ReadInt64LittleEndian(payload[TimeOffset..]);
        if (connection.Role == Echoer)
        {
            Send(Echoer, number, sentAt);
            return;
        }
        if (number != _answered) _reordered++;
        _answered++;
        _latency.Record((long)((_time.GetTimestamp() - sentAt) * _nanosecondsPerTick));
    }

    public void OnAcknowledged(LoadConnection connection, ushort packetId)
    {
    }

    public void OnTimer(long expirations)
    {
        for (var i = 0; i < expirations; i++) Send(Asker, _asked++, _time.GetTimestamp());
        _loop.Flush(_ends[Asker]);
    }

    public void Dispose() => _loop.Dispose();

    private void Send(int from, long number, long sentAt)
    {
        var frame = _frames[from];
        var space = _ends[from].Append(frame.Length);
        frame.CopyTo(space);
        if (_quality > 0)
        {
            _id = (ushort)(_id % ushort.MaxValue + 1);
            BinaryPrimitives.WriteUInt16BigEndian(space[_idAt..], _id);
        }
        BinaryPrimitives.WriteInt64LittleEndian(space[(_payloadAt + NumberOffset)..], number);
        BinaryPrimitives.WriteInt64LittleEndian(space[(_payloadAt + TimeOffset)..], sentAt);
    }

    private void Drive(TimeSpan duration, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        while (_time.GetElapsedTime(started) < duration)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _loop.Turn(WaitMilliseconds);
        }
    }
}
