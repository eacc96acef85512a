using System.Net;
using System.Runtime.Versioning;
using Mooring.Bench.Processes;

namespace Mooring.Bench.Mqtt;

/// <summary>Opens many connections with one subscription each, then lets them ping: connect rate, memory each, CPU while idle.</summary>
[SupportedOSPlatform("linux")]
internal sealed class IdleRun : ILoadHandler, IDisposable
{
    private const ushort KeepAliveSeconds = 60;
    private const int PingsPerKeepAlive = 6;
    private const int WaitMilliseconds = 10;
    private static readonly TimeSpan ConnectWithin = TimeSpan.FromSeconds(120);

    private readonly MqttScenario _scenario;
    private readonly TimeProvider _time;
    private readonly LoadLoop _loop;

    internal IdleRun(MqttScenario scenario, IPEndPoint server, TimeProvider time)
    {
        _scenario = scenario;
        _time = time;
        _loop = new LoadLoop(server, time, this);
    }

    internal RunResult Run(TimeSpan duration, int? serverProcess, CancellationToken cancellationToken)
    {
        var before = ProcessSample.Of(serverProcess);
        var started = _time.GetTimestamp();
        _loop.Connect(
            _scenario.IdleConnections, $"load-{Environment.ProcessId}-idle-", KeepAliveSeconds, i => $"load/idle/{i}",
            _scenario.QualityOfService, ConnectWithin);
        var rate = _scenario.IdleConnections / _time.GetElapsedTime(started).TotalSeconds;
        var connected = ProcessSample.Of(serverProcess);
        var idle = _time.GetTimestamp();
        PingFor(duration, cancellationToken);
        var idleSeconds = _time.GetElapsedTime(idle).TotalSeconds;
        var after = ProcessSample.Of(serverProcess);
        return new RunResult
        {
            Rate = rate,
            CpuPerMillion = (after?.CpuSeconds - connected?.CpuSeconds) / idleSeconds * 1e6 ?? double.NaN,
            ResidentMegabytes = after?.ResidentKilobytes / 1024.0 ?? double.NaN,
            KilobytesPerConnection =
                (double?)(after?.ResidentKilobytes - before?.ResidentKilobytes) / _scenario.IdleConnections ?? double.NaN,
            Threads = after?.Threads ?? 0,
        };
    }

    public void OnDelivery(LoadConnection connection, ReadOnlySpan<byte> payload, int qualityOfService, ushort packetId) =>
        throw new MooringBenchException("The server delivered a message that nobody published.");

    public void OnAcknowledged(LoadConnection connection, ushort packetId)
    {
    }

    public void OnTimer(long expirations)
    {
    }

    public void Dispose() => _loop.Dispose();

    // Pings are spread evenly: at each turn the connections whose moment has come.
    private void PingFor(TimeSpan duration, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        var perSecond = _scenario.IdleConnections * PingsPerKeepAlive / (double)KeepAliveSeconds;
        long pinged = 0;
        while (_time.GetElapsedTime(started) is var elapsed && elapsed < duration)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (var due = (long)(elapsed.TotalSeconds * perSecond); pinged < due; pinged++)
            {
                var connection = _loop.Connections[(int)(pinged % _scenario.IdleConnections)];
                MqttBytes.PingRequest.CopyTo(connection.Append(MqttBytes.PingRequest.Length));
                _loop.Flush(connection);
            }
            _loop.Turn(WaitMilliseconds);
        }
    }
}
