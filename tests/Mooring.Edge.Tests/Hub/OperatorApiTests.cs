using System.Net;
using System.Text.Json.Nodes;
using Mooring.Edge.Hub;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Hub;

/// <summary>The operators' API, path by path, with an agent that we did not write.</summary>
public sealed class OperatorApiTests : MooringTest
{
    private const string Id = "07048933";
    private const string Agent = "/api/orchestrators/" + Id;

    private readonly TestClock _clock = new(TimeProvider.System.GetUtcNow());
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-hub").FullName;

    [Theory]
    [InlineData("GET", "/status", null, "get_device_status", """{"device_id":"__orchestrator__"}""")]
    [InlineData("GET", "/interfaces?include_virtual=true&detailed=false", null, "get_host_interfaces", """{"include_virtual":true,"detailed":false}""")]
    [InlineData("GET", "/serial-devices", null, "get_serial_devices", "{}")]
    [InlineData("GET", "/consumption?cpuPeriod=2h&memoryPeriod=3d&max_points=7", null, "get_consumption_orchestrator", """{"cpuPeriod":"2h","memoryPeriod":"3d","max_points":7}""")]
    [InlineData("GET", "/version", null, "get_orchestrator_version", "{}")]
    [InlineData("POST", "/upgrade", """{"version":"v2"}""", "upgrade_orchestrator", """{"version":"v2"}""")]
    [InlineData("POST", "/topics/big", """{"bytes":3}""", "big", """{"bytes":3}""")]
    [InlineData("POST", "/devices", """{"container_name":"plc","vnic_configs":[]}""", "create_new_runtime", """{"container_name":"plc","vnic_configs":[]}""")]
    [InlineData("GET", "/devices/plc", null, "get_device_status", """{"device_id":"plc"}""")]
    [InlineData("PATCH", "/devices/plc", """{"resources":{"cpus":1}}""", "update_device", """{"device_id":"plc","resources":{"cpus":1}}""")]
    [InlineData("DELETE", "/devices/plc", null, "delete_device", """{"device_id":"plc"}""")]
    [InlineData("POST", "/devices/plc/start", null, "start_device", """{"device_id":"plc"}""")]
    [InlineData("POST", "/devices/plc/stop", null, "stop_device", """{"device_id":"plc"}""")]
    [InlineData("POST", "/devices/plc/restart", null, "restart_device", """{"device_id":"plc"}""")]
    [InlineData("GET", "/devices/plc/consumption", null, "get_consumption_device", """{"device_id":"plc","cpuPeriod":"1h","memoryPeriod":"1h"}""")]
    [InlineData("GET", "/devices/plc/logs", null, "get_logs", """{"device_id":"plc"}""")]
    [InlineData("POST", "/devices/plc/run-command", """{"method":"GET","api":"api/status"}""", "run_command", """{"device_id":"plc","method":"GET","api":"api/status"}""")]
    [InlineData("POST", "/devices/plc/webrtc/offer", """{"session_id":"s"}""", "webrtc:offer", """{"device_id":"plc","session_id":"s"}""")]
    [InlineData("POST", "/devices/plc/webrtc/ice", """{"session_id":"s"}""", "webrtc:ice", """{"session_id":"s"}""")]
    [InlineData("POST", "/devices/plc/webrtc/disconnect", """{"session_id":"s"}""", "webrtc:disconnect", """{"session_id":"s"}""")]
    public async Task Path_AsksItsTopic_WithANumber_TheName_AndATime(string method, string path, string? body, string topic, string asked)
    {
        var (hub, agent) = await StartWithAgentAsync();
        var sending = hub.SendAsync(new HttpMethod(method), Agent + path, body, TestTimeout);
        var message = JsonNode.Parse(await agent.LineAsync($"\"name\":\"{topic}\"", TestTimeout))!["message"]!.AsObject();
        Assert.Equal(topic, (string)message["action"]!);
        Assert.True((long)message["correlation_id"]! > 0);
        Assert.True(DateTimeOffset.TryParse((string)message["requested_at"]!, out _));
        foreach (var (name, value) in JsonNode.Parse(asked)!.AsObject()) Assert.True(JsonNode.DeepEquals(value, message[name]), $"{name}: {message[name]}");
        await sending;
    }

    [Fact]
    public async Task Agent_IsRenamed_AndForgotten_AndCannotComeBack()
    {
        var (hub, agent) = await StartWithAgentAsync();
        var (status, view) = await hub.SendAsync(HttpMethod.Patch, Agent, """{"name":"Filling line 3"}""", TestTimeout);
        Assert.Equal((HttpStatusCode.OK, "Filling line 3"), (status, view.GetProperty("name").GetString()));
        Assert.Equal(HttpStatusCode.BadRequest, (await hub.SendAsync(HttpMethod.Patch, Agent, """{"name":""}""", TestTimeout)).Status);
        Assert.Equal("Filling line 3", (await hub.GetAsync(Agent, TestTimeout)).Body.GetProperty("name").GetString());
        Assert.Equal(HttpStatusCode.NoContent, (await hub.SendAsync(HttpMethod.Delete, Agent, null, TestTimeout)).Status);
        await agent.LineAsync("\"disconnect\"", TestTimeout);
        await agent.LineAsync("connect_error", TestTimeout);
        foreach (var path in new[] { "", "/status", "/devices", "/operations", "/history", "/drift" })
            Assert.Equal(HttpStatusCode.NotFound, (await hub.GetAsync(Agent + path, TestTimeout)).Status);
    }

    [Fact]
    public async Task D16_AgentThatIsDestroyed_TellsWhatBecameOfItsDevices_AndTheOperationSucceedsWhenItIsGone()
    {
        var (hub, _) = await StartWithAgentAsync();
        using var watch = new EventWatch(hub.Http, "/api/edge/events");
        await watch.ReadyAsync(TestTimeout);
        var (status, begun) = await hub.SendAsync(HttpMethod.Delete, Agent + "?destroy=true", null, TestTimeout);
        Assert.Equal((HttpStatusCode.Accepted, "running"), (status, begun.GetProperty("state").GetString()));
        Assert.Equal(Id, (await watch.NextAsync("orchestrator_removed", TestTimeout)).GetProperty("details").GetProperty("agent_id").GetString());
        await watch.NextAsync("agent_offline", TestTimeout);
        await Eventually.TrueAsync(async () =>
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            return (await hub.GetAsync($"{Agent}/operations/{begun.GetProperty("id").GetInt64()}", TestTimeout)).Body.GetProperty("state").GetString() == "succeeded";
        }, "the end of the operation", TestTimeout);
    }

    [Theory]
    [InlineData("liar", "answered another call than this one")]
    [InlineData("mumble", "something that is no object")]
    public async Task AnswerThatCannotBeOne_Is502(string topic, string reason)
    {
        var (hub, _) = await StartWithAgentAsync();
        // So that the number of this call is not the one that is answered.
        for (var i = 0; i < 2; i++) await hub.GetAsync(Agent + "/serial-devices", TestTimeout);
        var (status, problem) = await hub.SendAsync(HttpMethod.Post, $"{Agent}/topics/{topic}", "{}", TestTimeout);
        Assert.Equal(HttpStatusCode.BadGateway, status);
        Assert.Contains(reason, problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task DeviceThatVanished_IsToldByTheNextRound_WithoutBeingAskedFor_AndIsNotMadeAgain()
    {
        var (hub, agent) = await StartWithAgentAsync();
        using var watch = new EventWatch(hub.Http, "/api/edge/events");
        await watch.ReadyAsync(TestTimeout);
        await hub.SendAsync(HttpMethod.Post, Agent + "/devices", """{"container_name":"plc","vnic_configs":[]}""", TestTimeout);
        await Eventually.TrueAsync(async () =>
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            return (await hub.GetAsync(Agent + "/devices/plc/operation", TestTimeout)).Body.GetProperty("state").GetString() == "succeeded";
        }, "the device", TestTimeout);
        // Past the hub, as somebody at the plant does it.
        await hub.SendAsync(HttpMethod.Post, Agent + "/topics/delete_device", """{"device_id":"plc"}""", TestTimeout);
        var drift = watch.NextAsync("device_drift", TestTimeout);
        await Eventually.TrueAsync(() =>
        {
            _clock.Advance(TimeSpan.FromSeconds(5));
            return drift.IsCompleted;
        }, "the next round", TestTimeout);
        var details = (await drift).GetProperty("details");
        Assert.Equal(("plc", "it is not there"), (details.GetProperty("device_id").GetString(), details.GetProperty("differences")[0].GetString()));
        Assert.Single(agent.Lines, line => line.Contains("create_new_runtime", StringComparison.Ordinal));
    }

    [Fact]
    public async Task CallsBeyondTheLimitOfAnAgent_Are429_AndGoOnWhenOthersHaveEnded()
    {
        var (hub, agent) = await StartWithAgentAsync(options => options with { Limits = new HubLimits { CallsMax = 2 } });
        await SilenceAsync(agent);
        var hanging = Enumerable.Range(0, 2).Select(_ => hub.GetAsync(Agent + "/serial-devices", TestTimeout)).ToList();
        await LinesAsync(agent, "get_serial_devices", 2);
        var (status, problem) = await hub.GetAsync(Agent + "/serial-devices", TestTimeout);
        Assert.Equal(HttpStatusCode.TooManyRequests, status);
        Assert.Contains("in flight", problem.GetProperty("detail").GetString());
        _clock.Advance(TimeSpan.FromSeconds(30));
        foreach (var call in hanging) Assert.Equal(HttpStatusCode.GatewayTimeout, (await call).Status);
        var next = hub.GetAsync(Agent + "/serial-devices", TestTimeout);
        await LinesAsync(agent, "get_serial_devices", 3);
        agent.Kill();
        Assert.Equal(HttpStatusCode.BadGateway, (await next).Status);
    }

    [Fact]
    public async Task Operation_IsListed_PolledAndWatched_StepByStep()
    {
        var (hub, _) = await StartWithAgentAsync();
        using var watch = new EventWatch(hub.Http, $"/api/edge/events?agent={Id}");
        await watch.ReadyAsync(TestTimeout);
        var (_, begun) = await hub.SendAsync(HttpMethod.Post, Agent + "/devices", """{"container_name":"plc","vnic_configs":[]}""", TestTimeout);
        var operation = begun.GetProperty("id").GetInt64();
        foreach (var step in new[] { "validating_config", "pulling_image", "creating_container" })
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            var progress = (await watch.NextAsync("operation_progress", TestTimeout)).GetProperty("details");
            Assert.Equal((operation, step, "plc"), (progress.GetProperty("operation").GetInt64(), progress.GetProperty("step").GetString(), progress.GetProperty("device_id").GetString()));
            var polled = (await hub.GetAsync($"{Agent}/operations/{operation}", TestTimeout)).Body;
            Assert.Equal(("running", step), (polled.GetProperty("state").GetString(), polled.GetProperty("step").GetString()));
        }
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("succeeded", (await watch.NextAsync("operation_finished", TestTimeout)).GetProperty("details").GetProperty("state").GetString());
        Assert.Equal(operation, Assert.Single((await hub.GetAsync(Agent + "/operations", TestTimeout)).Body.EnumerateArray()).GetProperty("id").GetInt64());
        Assert.Equal("succeeded", (await hub.GetAsync(Agent + "/devices/plc/operation", TestTimeout)).Body.GetProperty("state").GetString());
        Assert.Equal(HttpStatusCode.NotFound, (await hub.GetAsync($"{Agent}/operations/999999", TestTimeout)).Status);
    }

    [Fact]
    public async Task Events_GoOnAfterLastEventId_AreThoseOfOneAgent_AndOfTheAgentsThatATokenMaySee()
    {
        var token = await HubCommands.CreateTokenAsync(new HubOptions { Folder = _folder }, "of another", HubRole.Admin, ["other"], null, TestTimeout);
        var (hub, agent) = await StartWithAgentAsync();
        using var all = new EventWatch(hub.Http, "/api/edge/events?after=0");
        var online = (await all.NextAsync("agent_online", TestTimeout)).GetProperty("id").GetInt64();
        await agent.Input.WriteLineAsync("""{"do":"tell","name":"device_event","message":{"device_id":"plc","kind":"first"}}""");
        await agent.Input.WriteLineAsync("""{"do":"tell","name":"crash_loop","message":{"device_id":"plc","kind":"second"}}""");
        await agent.Input.FlushAsync(TestTimeout);
        var first = (await all.NextAsync("device_event", TestTimeout)).GetProperty("id").GetInt64();
        var second = (await all.NextAsync("crash_loop", TestTimeout)).GetProperty("id").GetInt64();
        Assert.True(online < first && first < second);

        using var resuming = new HttpRequestMessage(HttpMethod.Get, "/api/edge/events");
        resuming.Headers.Add("Last-Event-ID", first.ToString());
        using var resumed = await hub.Http.SendAsync(resuming, HttpCompletionOption.ResponseHeadersRead, TestTimeout);
        Assert.Equal(("text/event-stream", "no-store"), (resumed.Content.Headers.ContentType!.MediaType, resumed.Headers.CacheControl!.ToString()));
        using var lines = new StreamReader(await resumed.Content.ReadAsStreamAsync(TestTimeout));
        var told = new List<string>();
        while (told.LastOrDefault()?.StartsWith("data: ", StringComparison.Ordinal) != true) told.Add((await lines.ReadLineAsync(TestTimeout))!);
        Assert.Equal([": watching", "", $"id: {second}", "event: crash_loop"], told.Take(4));

        // Who may see another agent only, and who asks for another one only, hears the next event of that one first.
        using var foreign = new HttpClient { BaseAddress = hub.Http.BaseAddress, DefaultRequestHeaders = { { "Authorization", "Bearer " + token } } };
        using var limited = new EventWatch(foreign, "/api/edge/events?after=0");
        using var chosen = new EventWatch(hub.Http, "/api/edge/events?after=0&agent=other");
        await limited.ReadyAsync(TestTimeout);
        await chosen.ReadyAsync(TestTimeout);
        var other = Own(hub.StartAgent("other", await hub.EnrolAsync("other", TestTimeout), beat: null, transport: "websocket"));
        await other.LineAsync("\"connect\"", TestTimeout);
        foreach (var watch in new[] { limited, chosen })
            Assert.Equal("other", (await watch.NextAsync(null, TestTimeout)).GetProperty("agent").GetString());
    }

    [Fact]
    public async Task MoreWatchersThanAllowed_ArePutOff()
    {
        var hub = Own(await HubUnderTest.StartAsync(Log, _folder, options => options with { Limits = new HubLimits { WatchersMax = 1 } }, _clock));
        using (var first = new EventWatch(hub.Http, "/api/edge/events"))
        {
            await first.ReadyAsync(TestTimeout);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await hub.GetAsync("/api/edge/events", TestTimeout)).Status);
        }
        await Eventually.TrueAsync(async () =>
        {
            using var again = await hub.Http.GetAsync("/api/edge/events", HttpCompletionOption.ResponseHeadersRead, TestTimeout);
            return again.IsSuccessStatusCode;
        }, "the place of the one that went", TestTimeout);
    }

    [Fact]
    public async Task D41_Audit_HasWhoFromWhereWhatAndHowItEnded_TheNewestFirst_ForAdministratorsOnly()
    {
        var token = await HubCommands.CreateTokenAsync(new HubOptions { Folder = _folder }, "anna", HubRole.Operator, [], null, TestTimeout);
        var (hub, _) = await StartWithAgentAsync();
        await hub.SendAsync(HttpMethod.Post, Agent + "/devices/plc/stop", null, TestTimeout, ("Authorization", "Bearer " + token));
        await hub.SendAsync(HttpMethod.Post, Agent + "/devices/plc/start", null, TestTimeout, ("Authorization", "Bearer " + token));
        await hub.GetAsync(Agent + "/serial-devices", TestTimeout);
        var entries = (await hub.GetAsync($"/api/edge/audit?agent={Id}", TestTimeout)).Body.EnumerateArray().ToList();
        Assert.Equal(["start_device", "stop_device", "enrol"], entries.Select(entry => entry.GetProperty("action").GetString()));
        Assert.Equal(("anna", Id, "plc"), (entries[1].GetProperty("who").GetString(), entries[1].GetProperty("agent").GetString(), entries[1].GetProperty("device").GetString()));
        Assert.Contains("127.0.0.1", entries[1].GetRawText());
        Assert.True(entries[1].GetProperty("correlationId").GetInt64() < entries[0].GetProperty("correlationId").GetInt64());
        Assert.NotEqual(entries[0].GetProperty("result").GetString(), entries[1].GetProperty("result").GetString());
        Assert.Single((await hub.GetAsync($"/api/edge/audit?agent={Id}&most=1", TestTimeout)).Body.EnumerateArray());
        Assert.Equal(HttpStatusCode.Forbidden, (await hub.SendAsync(HttpMethod.Get, "/api/edge/audit", null, TestTimeout, ("Authorization", "Bearer " + token))).Status);
    }

    [Fact]
    public async Task Heartbeats_AreKeptOneAMinute_AndForgottenAfterTheirTime()
    {
        var (hub, agent) = await StartWithAgentAsync(options => options with { Limits = new HubLimits { BeatsKept = TimeSpan.FromHours(2) } });
        for (var beat = 0; beat < 4; beat++)
        {
            _clock.Advance(TimeSpan.FromSeconds(30));
            await agent.Input.WriteLineAsync("""{"do":"beat"}""");
            await agent.Input.FlushAsync(TestTimeout);
            // One was answered when it connected.
            await LinesAsync(agent, "heartbeat_ack", beat + 2);
        }
        await Eventually.TrueAsync(async () =>
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            return (await hub.GetAsync(Agent + "/history", TestTimeout)).Body.GetArrayLength() is 3;
        }, "the heartbeats of three minutes", TestTimeout);
        // It would come back, and beat.
        agent.Kill();
        await Eventually.TrueAsync(async () =>
        {
            _clock.Advance(TimeSpan.FromMinutes(10));
            return (await hub.GetAsync(Agent + "/history", TestTimeout)).Body.GetArrayLength() == 0;
        }, "the end of their time", TestTimeout);
    }

    [Fact]
    public async Task D30_CertificateThatEndsSoon_IsTold()
    {
        var hub = Own(await HubUnderTest.StartAsync(Log, _folder, time: _clock));
        var files = await hub.EnrolAsync(Id, TestTimeout);
        _clock.Set(TimeSpan.FromDays(340));
        using var watch = new EventWatch(hub.Http, "/api/edge/events?after=0");
        Own(hub.StartAgent(Id, files, transport: "websocket"));
        var told = await watch.NextAsync("certificate_expiring", TestTimeout);
        Assert.Equal(Id, told.GetProperty("agent").GetString());
        Assert.True(told.GetProperty("details").TryGetProperty("not_after", out _));
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task SilenceAsync(ProcessUnderTest agent)
    {
        await agent.Input.WriteLineAsync("""{"do":"silence"}""");
        await agent.Input.FlushAsync(CancellationToken.None);
        await agent.LineAsync("\"silent\"", CancellationToken.None);
    }

    private Task LinesAsync(ProcessUnderTest agent, string text, int count) => Eventually.TrueAsync(
        () => agent.Lines.Count(line => line.Contains(text, StringComparison.Ordinal)) >= count, $"{count} times {text}", TestTimeout);

    private async Task<(HubUnderTest Hub, ProcessUnderTest Agent)> StartWithAgentAsync(Func<HubOptions, HubOptions>? change = null)
    {
        var hub = Own(await HubUnderTest.StartAsync(Log, _folder, change, _clock));
        var agent = Own(hub.StartAgent(Id, await hub.EnrolAsync(Id, TestTimeout), beat: 3_600_000, transport: "websocket"));
        await agent.LineAsync("heartbeat_ack", TestTimeout);
        return (hub, agent);
    }
}
