using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Hubs;
using Mooring.Edge.Agent.Metrics;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Agent.Topics;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.Hubs;

/// <summary>The beat, by a clock that moves when it is told to, on a machine whose load stands in files.</summary>
public sealed class HeartbeatTests : MooringTest, IHubOutbox
{
    private const int Devices = 20;

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-beat-").FullName;
    private readonly TestClock _clock = new();
    private readonly ConcurrentQueue<JsonObject> _beats = new();
    private bool _isUp = true;

    [Fact]
    public async Task D45_FirstBeat_HasTheLoadSinceTheStart_TheTimeSinceTheStart_AndAZoneWhereThatIsChosen()
    {
        Machine(busy: 1000, idle: 9000);
        using var beat = Start(new AgentOptions { DataFolder = _folder, ZonedTimes = true });
        await _clock.WhenTimersAsync(1, TestTimeout);
        Machine(busy: 1250, idle: 9250);
        await BeatAsync(1);
        var first = _beats.Single();
        Assert.Equal((50.0, 5), ((double)first["cpu_usage"]!, (long)first["uptime"]!));
        Assert.Equal("2030-01-01T00:00:05.000000+00:00", (string)first["timestamp"]!);
        Assert.Equal(("07048933", "active", 4.0, 8.0), ((string)first["agent_id"]!, (string)first["status"]!, (double)first["memory_usage"]!, (double)first["memory_total"]!));
        Assert.Equal(["agent_id", "agent_version", "cpu_usage", "disk_total", "disk_usage", "memory_total", "memory_usage", "status", "timestamp", "uptime"],
            first.Select(member => member.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task D18_With20RuntimesAndAnEngineThatHangs_EachBeatComesAfter5Seconds_AndTheEngineIsAskedOnceForEach()
    {
        Machine(busy: 1, idle: 1);
        var options = new AgentOptions { DataFolder = _folder, EngineSocket = Path.Combine(_folder, "engine.sock") };
        using var engine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        engine.Bind(new UnixDomainSocketEndPoint(options.EngineSocket));
        engine.Listen(1000);
        var asked = 0;
        var accepting = AcceptAsync();
        using var beat = Start(options);
        await _clock.WhenTimersAsync(1, TestTimeout);
        for (var number = 1; number <= 12; number++) await BeatAsync(number);
        Assert.Equal(Enumerable.Range(1, 12).Select(number => _clock.GetUtcNow().AddSeconds(5 * (number - 12)).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff")),
            _beats.Select(b => (string)b["timestamp"]!));
        await Until(() => Volatile.Read(ref asked) > 0);
        Assert.InRange(asked, 1, Devices);
        engine.Close();
        await accepting;

        async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    await engine.AcceptAsync(TestTimeout);
                    Interlocked.Increment(ref asked);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                // The test is over.
            }
        }
    }

    [Fact]
    public async Task D2_Beats_PauseWithoutAHub_AndGoOnWithinOnePeriod_WhileTheLoadIsKept()
    {
        Machine(busy: 1, idle: 1);
        using var beat = Start(new AgentOptions { DataFolder = _folder });
        await _clock.WhenTimersAsync(1, TestTimeout);
        await BeatAsync(1);
        _isUp = false;
        for (var i = 0; i < 5; i++)
        {
            _clock.Advance(Heartbeat.Period);
            await Until(() => beat.Samples == i + 2);
        }
        Assert.Single(_beats);
        _isUp = true;
        await BeatAsync(2);
    }

    void IHubOutbox.Emit(string name, JsonObject message)
    {
        Assert.Equal("heartbeat", name);
        _beats.Enqueue(message);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private RunningBeat Start(AgentOptions options)
    {
        var state = new AgentState(_folder, _clock);
        for (var i = 0; i < Devices; i++) state.Devices.Set($"plc{i}", new DeviceRecord { Name = $"plc{i}" });
        var engine = new EngineClient(new EngineClientOptions { SocketPath = options.EngineSocket }, TimeProvider.System);
        var loads = new LoadRecorder(Path.Combine(_folder, "load"), engine, _clock, LoggerFactory.CreateLogger<LoadRecorder>());
        var beat = new Heartbeat(options, new AgentIdentity("07048933"), new HostLoad(_folder), loads, state, this, () => _isUp, new HubTimes(options, _clock), _clock);
        return new RunningBeat(beat, loads, engine, _clock);
    }

    private async Task BeatAsync(int number)
    {
        _clock.Advance(Heartbeat.Period);
        await Until(() => _beats.Count == number);
    }

    private Task Until(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "") => Eventually.TrueAsync(condition, what, TestTimeout);

    private void Machine(int busy, int idle)
    {
        File.WriteAllText(Path.Combine(_folder, "stat"), $"cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\n");
        File.WriteAllText(Path.Combine(_folder, "meminfo"), "MemTotal: 8388608 kB\nMemFree: 4194304 kB\n");
        File.WriteAllText(Path.Combine(_folder, "mounts"), "");
    }

    private sealed class RunningBeat : IDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly LoadRecorder _loads;
        private readonly EngineClient _engine;
        private readonly TestClock _clock;
        private readonly Task _running;

        public RunningBeat(Heartbeat beat, LoadRecorder loads, EngineClient engine, TestClock clock)
        {
            (_loads, _engine, _clock) = (loads, engine, clock);
            _running = beat.RunAsync(_stop.Token);
        }

        public int Samples => _loads.QueryHost(new Period(_clock.GetUtcNow().ToUnixTimeSeconds() - 1000, _clock.GetUtcNow().ToUnixTimeSeconds()), 1000).Samples.Count;

        public void Dispose()
        {
            _stop.Cancel();
            _running.Wait();
            _engine.Dispose();
            _loads.Dispose();
            _stop.Dispose();
        }
    }
}
