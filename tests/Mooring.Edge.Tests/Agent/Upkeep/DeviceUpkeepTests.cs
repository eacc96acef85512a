using Mooring.Edge.Agent;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Agent.Upkeep;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.Upkeep;

/// <summary>The care for devices, by a clock that moves when it is told to, on an engine that is played.</summary>
public sealed class DeviceUpkeepTests : MooringTest
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-upkeep-").FullName;
    private readonly TestClock _clock = new();
    private PlayedEngine _engine = null!;
    private PlayedMonitor _monitor = null!;
    private AgentUnderTest _agent = null!;

    [Fact]
    public async Task Boot_StartsWhatIsStopped_LeavesWhatRuns_TellsOnceWhatIsMissing_AndTakesTheRestartingFromTheEngineOnce()
    {
        await StartAsync(engine =>
        {
            engine.Put("stopped", isRunning: false);
            engine.Put("running", isRunning: true, c => c["HostConfig"]!["RestartPolicy"]!["Name"] = "always");
        }, "missing", "running", "stopped");
        await AttachedAsync("stopped");
        await AttachedAsync("running");
        await Log.WhenAsync(e => e.Event.Id == 7032 && e.Message.StartsWith("missing", StringComparison.Ordinal), TestTimeout);
        await PollAsync("running");
        Assert.Equal((1, 0, 1, 0), (_engine.Count("POST containers/stopped/start"), _engine.Count("POST containers/running/start"),
            _engine.Count("POST containers/running/update"), _engine.Count("POST containers/stopped/update")));
        Assert.Equal("no", _engine.Look("running", c => (string?)c["HostConfig"]!["RestartPolicy"]!["Name"]));
        Assert.Equal("10.213.0.2", _agent.Get<AgentState>().Devices.Find("stopped")!.Ip);
        Assert.Single(Log.Entries, e => e.Event.Id == 7032);
    }

    [Fact]
    public async Task WithoutDevices_NothingIsDone()
    {
        await StartAsync(engine => engine.Put("somebody-elses", isRunning: false));
        await _clock.WhenTimerDueInAsync(DeviceUpkeep.PollPeriod, TestTimeout);
        Assert.Empty(_engine.Done);
    }

    [Fact]
    public async Task End_IsFollowedByOneStartAfterThreeSeconds_AndThatOfAForeignContainerByNone()
    {
        await StartAsync(engine =>
        {
            engine.Put("plc", isRunning: true);
            engine.Put("somebody-elses", isRunning: true);
        }, "plc");
        await AttachedAsync("plc");
        _engine.End("somebody-elses");
        _engine.End("plc");
        _engine.Tell("die", "plc");
        await _clock.WhenTimerDueInAsync(DeviceUpkeep.RestartDelay, TestTimeout);
        Assert.Equal(0, _engine.Count("POST containers/plc/start"));
        _clock.Advance(DeviceUpkeep.RestartDelay);
        await AttachedAsync("plc");
        await PollAsync("plc");
        Assert.Equal((1, 0), (_engine.Count("POST containers/plc/start"), _engine.Count("POST containers/somebody-elses/start")));
    }

    [Fact]
    public async Task DeviceThatRunsAgainBeforeItsStart_IsNotStarted()
    {
        await StartAsync(engine => engine.Put("plc", isRunning: true), "plc");
        await AttachedAsync("plc");
        _engine.End("plc");
        await _clock.WhenTimerDueInAsync(DeviceUpkeep.RestartDelay, TestTimeout);
        _engine.Put("plc", isRunning: true);
        _clock.Advance(DeviceUpkeep.RestartDelay);
        await AttachedAsync("plc");
        Assert.Equal(0, _engine.Count("POST containers/plc/start"));
    }

    [Fact]
    public async Task Poll_FindsTheEndThatNobodyTold_LeavesABusyDeviceAlone_AndOutlivesAnEngineThatRefuses()
    {
        await StartAsync(engine =>
        {
            foreach (var name in new[] { "busy", "dead", "refused" }) engine.Put(name, isRunning: true);
        }, "busy", "dead", "refused");
        foreach (var name in new[] { "busy", "dead", "refused" })
        {
            await AttachedAsync(name);
            _engine.End(name, isTold: false);
        }
        _agent.Get<OperationTable>().TryBegin("busy", OperationKind.Update, out _);
        _engine.Refusal = request => request == "GET containers/refused/json" ? "no memory left" : null;
        await PollAsync("dead");
        await AttachedAsync("dead");
        await Log.WhenAsync(e => e.Event.Id == 7030 && e.Message.Contains("no memory left", StringComparison.Ordinal), TestTimeout);
        Assert.Equal((1, 0), (_engine.Count("POST containers/dead/start"), _engine.Count("POST containers/busy/start")));
        _engine.Refusal = _ => null;
        _agent.Get<OperationTable>().Clear("busy");
        await GoOnUntilAsync(() => _engine.Count("POST containers/busy/start") == 1 && _engine.Count("POST containers/refused/start") == 1);
    }

    [Fact]
    public async Task EventsThatEnd_AreFollowedAgainAfterFiveSeconds_AndWhatHappenedMeanwhileIsFound()
    {
        await StartAsync(engine => engine.Put("plc", isRunning: true), "plc");
        await AttachedAsync("plc");
        _engine.EndEvents();
        await LoggedAsync(7036);
        _engine.End("plc", isTold: false);
        await _clock.WhenTimerDueInAsync(TimeSpan.FromSeconds(5), TestTimeout);
        _clock.Advance(TimeSpan.FromSeconds(5));
        await AttachedAsync("plc");
        Assert.Equal(1, _engine.Count("POST containers/plc/start"));
        await Eventually.TrueAsync(() => _engine.Streams == 2, "the events are followed again", TestTimeout);
    }

    [Fact]
    public async Task ChangeWhileADeviceIsBeingAttached_HasItAttachedAnew()
    {
        var commands = 0;
        await StartAsync(engine => engine.Put("plc", isRunning: true), "plc");
        await AttachedAsync("plc");
        _agent.Get<AgentState>().Vnics.Set("plc", [new VnicRecord { Name = "lan", ParentInterface = "eth0", NetworkMode = "static", Ip = "192.168.77.60" }]);
        _monitor.Answer = _ =>
        {
            // Its address is changed while the monitor is about to give it the old one.
            if (++commands == 1)
            {
                _agent.Get<AgentState>().Vnics.Update("plc", vnics => [.. vnics.Select(vnic => vnic with { Ip = "192.168.77.61" })]);
                _agent.Get<DeviceUpkeep>().Reattach("plc");
            }
            return PlayedMonitor.Success();
        };
        _agent.Get<DeviceUpkeep>().Reattach("plc");
        await Eventually.TrueAsync(() => _monitor.Commands.Count == 2, "the second time", TestTimeout);
        Assert.Equal(["192.168.77.60", "192.168.77.61"], _monitor.Commands.Select(command => (string)command["ip_address"]!));
        await AttachedAsync("plc");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task ClockThatIsSetByADay_NeitherHastensNorHoldsUpARestart(int days)
    {
        await StartAsync(engine =>
        {
            engine.Put("plc", isRunning: true);
            engine.Put("other", isRunning: true);
        }, "plc", "other");
        await AttachedAsync("plc");
        await AttachedAsync("other");
        _engine.End("plc");
        await _clock.WhenTimerDueInAsync(DeviceUpkeep.RestartDelay, TestTimeout);
        _clock.Set(days * Day);
        // Another device is looked at: what is due is begun with it.
        await LookAsync("other");
        Assert.Equal(0, _engine.Count("POST containers/plc/start"));
        _clock.Advance(DeviceUpkeep.RestartDelay);
        await Eventually.TrueAsync(() => _engine.Count("POST containers/plc/start") == 1, "it is started after three seconds", TestTimeout);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task ClockThatIsSetByADay_NeitherForgetsCrashesNorEndsAPause(int days)
    {
        Expect(7033);
        var pause = TimeSpan.FromMinutes(10);
        await StartAsync(engine => engine.Put("plc", isRunning: true), options => options with { CrashRetry = pause }, "plc");
        await AttachedAsync("plc");
        for (var restart = 1; restart <= UpkeepPlan.MaxRestarts; restart++)
        {
            _clock.Set(days * Day);
            await EndAndWaitAsync();
            await Eventually.TrueAsync(() => _engine.Count("POST containers/plc/start") == restart, $"restart {restart}", TestTimeout);
            await AttachedAsync("plc");
        }
        _clock.Set(days * Day);
        await EndAndWaitAsync();
        await LoggedAsync(7033);
        _clock.Set(days * Day);
        await LookAsync("plc");
        Assert.Equal(UpkeepPlan.MaxRestarts, _engine.Count("POST containers/plc/start"));
        var gaveUp = _clock.GetTimestamp();
        await GoOnUntilAsync(() => _engine.Count("POST containers/plc/start") == UpkeepPlan.MaxRestarts + 1, TimeSpan.FromSeconds(20));
        Assert.InRange(_clock.GetElapsedTime(gaveUp), pause - DeviceUpkeep.PollPeriod, pause + DeviceUpkeep.PollPeriod);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private Task StartAsync(Action<PlayedEngine> prepare, params string[] devices) => StartAsync(prepare, change: null, devices);

    private async Task StartAsync(Action<PlayedEngine> prepare, Func<AgentOptions, AgentOptions>? change, params string[] devices)
    {
        _engine = new PlayedEngine { SocketPath = Path.Combine(_folder, "engine.sock") };
        prepare(_engine);
        Own(await PlayedEngine.StartAsync(_engine));
        // With it no other timer is waiting than those of the care for devices.
        _monitor = Own(new PlayedMonitor(_folder));
        _agent = Own(new AgentUnderTest(_folder, _engine.SocketPath, LoggerFactory, change, _clock));
        foreach (var device in devices) _agent.Get<AgentState>().Devices.Set(device, new DeviceRecord { Name = device });
        // After its own handlers, so that all that a beginning agent does has been asked for.
        _agent.Get<UpkeepTriggers>();
        var connected = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _agent.Get<NetworkMonitorClient>().Connected += connected.SetResult;
        await _agent.StartAsync(TestTimeout);
        await connected.Task.WaitAsync(TestTimeout);
        await Eventually.TrueAsync(() => _engine.Streams == 1, "the engine's events are followed", TestTimeout);
    }

    private Task AttachedAsync(string device) => Eventually.TrueAsync(
        () => _engine.Has(device) && _engine.Look(device, c => (int)c["State"]!["Pid"]!) is > 0 and var pid && _agent.Get<DeviceUpkeep>().IsAttached(device, pid), $"{device} is attached", TestTimeout);

    /// <summary>Has a device looked at now, and waits for the look.</summary>
    private async Task LookAsync(string device)
    {
        var looks = _engine.Count($"GET containers/{device}/json");
        _agent.Get<DeviceUpkeep>().Ask(device, TimeSpan.Zero);
        await Eventually.TrueAsync(() => _engine.Count($"GET containers/{device}/json") > looks, $"{device} is looked at", TestTimeout);
    }

    private async Task PollAsync(string device)
    {
        var looks = _engine.Count($"GET containers/{device}/json");
        await _clock.WhenTimerDueInAsync(DeviceUpkeep.PollPeriod, TestTimeout);
        _clock.Advance(DeviceUpkeep.PollPeriod);
        await Eventually.TrueAsync(() => _engine.Count($"GET containers/{device}/json") > looks, $"{device} is looked at", TestTimeout);
    }

    private async Task EndAndWaitAsync()
    {
        _engine.End("plc");
        await _clock.WhenTimerDueInAsync(DeviceUpkeep.RestartDelay, TestTimeout);
        _clock.Advance(DeviceUpkeep.RestartDelay);
    }

    /// <summary>Lets time pass, step by step, while the agent does what it does.</summary>
    private Task GoOnUntilAsync(Func<bool> condition, TimeSpan? step = null) => Eventually.TrueAsync(() =>
    {
        if (condition()) return true;
        _clock.Advance(step ?? TimeSpan.FromSeconds(1));
        return condition();
    }, "it happens as time passes", TestTimeout);
}
