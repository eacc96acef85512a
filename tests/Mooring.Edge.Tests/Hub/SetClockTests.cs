using System.Net;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Hub;

/// <summary>A hub whose clock somebody sets, as people and time servers do.</summary>
public sealed class SetClockTests : MooringTest
{
    private const string Id = "07048933";
    private const string Agent = "/api/orchestrators/" + Id;

    private readonly TestClock _clock = new(TimeProvider.System.GetUtcNow());
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-hub").FullName;

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task Agent_IsStaleAfterThreeBeatsThatStayedAway_AndNotWhenTheClockIsSetByADay(int days)
    {
        var hub = await StartWithAgentAsync();
        _clock.Set(TimeSpan.FromDays(days));
        Assert.Equal("online", await PresenceAsync(hub));
        _clock.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal("online", await PresenceAsync(hub));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("stale", await PresenceAsync(hub));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task Operation_ThatRunsWhileTheClockIsSetByADay_IsFollowedToItsEnd(int days)
    {
        var hub = await StartWithAgentAsync();
        var (status, begun) = await hub.SendAsync(HttpMethod.Post, Agent + "/devices", "{\"container_name\":\"plc-1\",\"vnic_configs\":[]}", TestTimeout);
        Assert.Equal(HttpStatusCode.Accepted, status);
        _clock.Set(TimeSpan.FromDays(days));
        var operation = $"{Agent}/operations/{begun.GetProperty("id").GetInt64()}";
        var state = "running";
        await Eventually.TrueAsync(async () =>
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            state = (await hub.GetAsync(operation, TestTimeout)).Body.GetProperty("state").GetString();
            return state != "running";
        }, "the end of the operation", TestTimeout);
        Assert.Equal("succeeded", state);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<string?> PresenceAsync(HubUnderTest hub) => (await hub.GetAsync(Agent, TestTimeout)).Body.GetProperty("presence").GetString();

    private async Task<HubUnderTest> StartWithAgentAsync()
    {
        var hub = Own(await HubUnderTest.StartAsync(Log, _folder, time: _clock));
        // One beat when it connects, and no other.
        var agent = Own(hub.StartAgent(Id, await hub.EnrolAsync(Id, TestTimeout), beat: 3_600_000, transport: "websocket"));
        await agent.LineAsync("heartbeat_ack", TestTimeout);
        return hub;
    }
}
