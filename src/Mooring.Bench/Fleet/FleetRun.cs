using System.Net;
using System.Runtime.Versioning;
using System.Text;
using Mooring.Bench.Mqtt;

namespace Mooring.Bench.Fleet;

/// <summary>A number of cars on one thread, each with its own MQTT connection, as gateways have.</summary>
[SupportedOSPlatform("linux")]
internal sealed class FleetRun : ILoadHandler, IDisposable
{
    private const int DeviceType = 0;
    private const int WaitMilliseconds = 100;
    private const int TimerHertz = 500;
    private const int ConnectsInFlight = 200;
    private static readonly TimeSpan ConnectWithin = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan RepeatConnectAfter = TimeSpan.FromSeconds(2);

    private readonly TimeProvider _time;
    private readonly LoadLoop _loop;
    private readonly GatewayCar[] _cars;
    private readonly LatencyHistogram _latency = new();
    private readonly double _nanosecondsPerTick;
    private uint _window;
    private double _due;
    private double _perTick;
    private int _next;
    private int _normal;
    private long _answered;

    internal FleetRun(int cars, IPEndPoint broker, FleetBenchOptions options, TimeProvider time)
    {
        _time = time;
        _nanosecondsPerTick = 1e9 / time.TimestampFrequency;
        _loop = new LoadLoop(broker, time, this);
        var connections = _loop.Connect(
            cars, $"car-{Environment.ProcessId}-", 60, i => $"{FleetConfiguration.Company}/{FleetConfiguration.CarName(i)}/external_server", 1, ConnectWithin);
        var device = FleetBytes.EncodeDevice(options.ModuleNumber, DeviceType, "bench", "Bench");
        var statusData = Encoding.UTF8.GetBytes(options.StatusText);
        _cars = [.. connections.Select((c, i) => new GatewayCar(c, FleetConfiguration.Company, FleetConfiguration.CarName(i), device, statusData))];
    }

    internal LatencyHistogram Latency => _latency;

    internal long Answered => _answered;

    internal long Faults => _cars.Sum(car => car.Faults);

    /// <summary>Takes every car through the connect sequence; a Connect without answer is repeated, as the server may not have subscribed yet.</summary>
    internal TimeSpan ConnectAll(CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        var first = 0;
        var last = started;
        while (_normal < _cars.Length)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (; first < _cars.Length && first - _normal < ConnectsInFlight; first++) SendConnect(_cars[first]);
            _loop.Turn(WaitMilliseconds);
            if (_time.GetElapsedTime(last) < RepeatConnectAfter) continue;
            last = _time.GetTimestamp();
            foreach (var car in _cars.Take(first).Where(car => car.Phase == GatewayPhase.AwaitsConnectResponse)) SendConnect(car);
            if (_time.GetElapsedTime(started) > ConnectWithin)
                throw new MooringBenchException($"Only {_normal} of {_cars.Length} cars connected within {ConnectWithin.TotalSeconds:0} s.");
        }
        return _time.GetElapsedTime(started);
    }

    /// <summary>Keeps <paramref name="window"/> statuses of every car outstanding.</summary>
    internal void DriveWindow(uint window, TimeSpan duration, CancellationToken cancellationToken)
    {
        _window = window;
        foreach (var car in _cars) Refill(car);
        Turn(duration, cancellationToken);
        _window = 0;
    }

    /// <summary>Spreads the statuses of all cars evenly over time.</summary>
    internal void DriveRate(double perSecondOfAll, TimeSpan duration, CancellationToken cancellationToken)
    {
        if (_perTick == 0) _loop.StartTimer(TimeSpan.FromSeconds(1.0 / TimerHertz));
        _perTick = perSecondOfAll / TimerHertz;
        Turn(duration, cancellationToken);
    }

    internal void ClearFigures()
    {
        _latency.Clear();
        _answered = 0;
    }

    public void OnDelivery(LoadConnection connection, ReadOnlySpan<byte> payload, int qualityOfService, ushort packetId)
    {
        var car = _cars[connection.Role];
        if (qualityOfService > 0) car.Acknowledge(packetId);
        var wasNormal = car.Phase == GatewayPhase.Normal;
        if (car.Receive(payload, _time.GetTimestamp()) is { } sentAt)
        {
            _answered++;
            _latency.Record((long)((_time.GetTimestamp() - sentAt) * _nanosecondsPerTick));
            if (_window > 0) car.SendStatus(FleetBytes.StateRunning, _time.GetTimestamp());
        }
        else if (!wasNormal && car.Phase == GatewayPhase.Normal)
        {
            _normal++;
        }
    }

    public void OnAcknowledged(LoadConnection connection, ushort packetId)
    {
    }

    public void OnTimer(long expirations)
    {
        _due += _perTick * expirations;
        for (; _due >= 1; _due--)
        {
            var car = _cars[_next];
            _next = (_next + 1) % _cars.Length;
            car.SendStatus(FleetBytes.StateRunning, _time.GetTimestamp());
            _loop.Flush(car.Connection);
        }
    }

    public void Dispose() => _loop.Dispose();

    private void SendConnect(GatewayCar car)
    {
        car.SendConnect();
        _loop.Flush(car.Connection);
    }

    private void Refill(GatewayCar car)
    {
        while (car.Outstanding < _window) car.SendStatus(FleetBytes.StateRunning, _time.GetTimestamp());
        _loop.Flush(car.Connection);
    }

    private void Turn(TimeSpan duration, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        while (_time.GetElapsedTime(started) < duration)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _loop.Turn(WaitMilliseconds);
        }
    }
}
