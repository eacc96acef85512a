using Mooring.Edge.Agent.Upgrade;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.Upgrade;

/// <summary>An upgrade while somebody sets the clock, on an engine that is played.</summary>
public sealed class UpgradeClockTests : MooringTest
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-upgrade-").FullName;
    private readonly TestClock _clock = new();
    private PlayedEngine _engine = null!;

    public UpgradeClockTests() => Directory.CreateDirectory(Path.Combine(_folder, "data"));

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task NewAgentThatAHubLetsIn_IsGood_AlsoWhenTheClockWasSetByADay(int days)
    {
        var upgrading = await StartAsync();
        _clock.Set(TimeSpan.FromDays(days));
        SessionMark.Write(_folder, "2", _clock.GetUtcNow());
        Assert.Null(await EndAsync(upgrading));
        Assert.Equal("agent:new", _engine.Look("agent", c => (string?)c["Config"]!["Image"]));
        Assert.False(_engine.Has("agent_previous"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task NewAgentThatNoHubLetsIn_HasItsTwoMinutes_WhateverTheClockShows_AndTheMarkOfTheOldOneIsNone(int days)
    {
        // The old agent was let in while the clock was a day ahead.
        SessionMark.Write(_folder, "1", _clock.GetUtcNow() + TimeSpan.FromDays(1));
        var upgrading = await StartAsync();
        _clock.Set(TimeSpan.FromDays(days));
        var began = _clock.GetTimestamp();
        Assert.Equal("no hub let the new agent in within 120 s", await EndAsync(upgrading));
        Assert.InRange(_clock.GetElapsedTime(began), Patience, Patience + TimeSpan.FromSeconds(1));
        Assert.Equal("agent:old", _engine.Look("agent", c => (string?)c["Config"]!["Image"]));
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Begins an upgrade, until the new agent is looked at for the first time.</summary>
    private async Task<Task<string?>> StartAsync()
    {
        _engine = new PlayedEngine { SocketPath = Path.Combine(_folder, "engine.sock") };
        _engine.Put("agent", isRunning: true, c => c["Config"]!["Image"] = "agent:old");
        Own(await PlayedEngine.StartAsync(_engine));
        var upgrading = AgentUpgrader.RunAsync(new AgentUpgraderOptions
        {
            Container = "agent", Image = "agent:new", DataFolder = _folder, EngineSocket = _engine.SocketPath, Delay = TimeSpan.Zero, SessionTimeout = Patience,
        }, _clock, LoggerFactory, TestTimeout);
        await Eventually.TrueAsync(() => _engine.Count("POST containers/agent/start") == 1, "the new agent is started", TestTimeout);
        return upgrading;
    }

    private async Task<string?> EndAsync(Task<string?> upgrading)
    {
        while (!upgrading.IsCompleted)
        {
            var looks = _engine.Count("GET containers/agent/json");
            await Eventually.TrueAsync(() => upgrading.IsCompleted || _clock.Waits.Contains(TimeSpan.FromMilliseconds(500)), "the next look", TestTimeout);
            if (upgrading.IsCompleted) break;
            _clock.Advance(TimeSpan.FromMilliseconds(500));
            await Eventually.TrueAsync(() => upgrading.IsCompleted || _engine.Count("GET containers/agent/json") > looks, "the look", TestTimeout);
        }
        return await upgrading;
    }
}
