using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Hub;

/// <summary>The hub with agents that we did not write: socket.io-client over mutual TLS, with the answers of the first agents.</summary>
public sealed class ForeignAgentTests : MooringTest
{
    private const string Id = "07048933";
    private const string Agent = "/api/orchestrators/" + Id;

    [Theory]
    [InlineData("polling")]
    [InlineData("websocket")]
    [InlineData(null)]
    public async Task EnrolledAgent_ConnectsBeatsAndIsOnline(string? transport)
    {
        var hub = await StartAsync();
        var tls = await hub.EnrolAsync(Id, TestTimeout);
        Assert.Equal("offline", (await hub.GetAsync(Agent, TestTimeout)).Body.GetProperty("presence").GetString());
        Own(hub.StartAgent(Id, tls, transport: transport));
        var view = await OnlineAsync(hub);
        Assert.Equal(42.7, view.GetProperty("lastHeartbeat").GetProperty("cpu_usage").GetDouble());
        Assert.Equal(Id, Assert.Single((await hub.GetAsync("/api/orchestrators", TestTimeout)).Body.EnumerateArray()).GetProperty("id").GetString());
    }

    [Fact]
    public async Task Heartbeat_IsAcknowledgedByAnEvent()
    {
        var (_, agent) = await StartWithAgentAsync();
        var line = await agent.LineAsync("heartbeat_ack", TestTimeout);
        Assert.Matches("\"timestamp\":\"20\\d\\d-", line);
    }

    [Fact]
    public async Task Queries_AreAnsweredThroughTheAgent()
    {
        var (hub, agent) = await StartWithAgentAsync();
        var (status, interfaces) = await hub.GetAsync(Agent + "/interfaces?include_virtual=true", TestTimeout);
        Assert.Equal((HttpStatusCode.OK, "eth0"), (status, interfaces.GetProperty("interfaces")[0].GetProperty("name").GetString()));
        var asked = JsonNode.Parse(await agent.LineAsync("\"get_host_interfaces\"", TestTimeout))!["message"]!;
        Assert.True(asked["include_virtual"]!.GetValue<bool>());
        Assert.Equal("get_host_interfaces", asked["action"]!.GetValue<string>());
        Assert.Equal(0, (await hub.GetAsync(Agent + "/serial-devices", TestTimeout)).Body.GetProperty("count").GetInt32());
        Assert.Equal("2h", (await hub.GetAsync(Agent + "/consumption?cpuPeriod=2h", TestTimeout)).Body.GetProperty("period").GetString());
        Assert.Equal(HttpStatusCode.NotFound, (await hub.GetAsync(Agent + "/devices/nobody", TestTimeout)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await hub.GetAsync(Agent + "/devices/nobody/consumption", TestTimeout)).Status);
    }

    [Fact]
    public async Task TopicThatTheAgentDoesNotKnow_Is501()
    {
        var (hub, _) = await StartWithAgentAsync();
        var (status, problem) = await hub.SendAsync(HttpMethod.Post, Agent + "/devices/plc/start", null, TestTimeout);
        Assert.Equal(HttpStatusCode.NotImplemented, status);
        Assert.Contains("start_device", problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task Creation_IsFollowedToItsEnd()
    {
        var (hub, _) = await StartWithAgentAsync();
        using var watch = new EventWatch(hub.Http, "/api/edge/events");
        var (status, begun) = await hub.SendAsync(HttpMethod.Post, Agent + "/devices", "{\"container_name\":\"plc-1\",\"vnic_configs\":[]}", TestTimeout);
        Assert.Equal(HttpStatusCode.Accepted, status);
        Assert.Equal("running", begun.GetProperty("state").GetString());
        var id = begun.GetProperty("id").GetInt64();
        var (_, ended) = await hub.GetAsync($"{Agent}/operations/{id}?wait=20", TestTimeout);
        Assert.Equal("succeeded", ended.GetProperty("state").GetString());
        var finished = await watch.NextAsync("operation_finished", TestTimeout);
        Assert.Equal(id, finished.GetProperty("details").GetProperty("operation").GetInt64());
        Assert.Equal("plc-1", Assert.Single((await hub.GetAsync(Agent + "/devices", TestTimeout)).Body.EnumerateArray()).GetProperty("deviceId").GetString());
        Assert.True((await hub.GetAsync(Agent + "/devices/plc-1", TestTimeout)).Body.GetProperty("is_running").GetBoolean());

        var (deleted, gone) = await hub.SendAsync(HttpMethod.Delete, Agent + "/devices/plc-1?wait=20", null, TestTimeout);
        Assert.Equal((HttpStatusCode.OK, "succeeded"), (deleted, gone.GetProperty("state").GetString()));
        Assert.Empty((await hub.GetAsync(Agent + "/devices", TestTimeout)).Body.EnumerateArray());
    }

    [Fact]
    public async Task DeviceThatIsBeingDeleted_IsNoDrift_AndOneThatVanished_Is()
    {
        var (hub, _) = await StartWithAgentAsync();
        foreach (var name in new[] { "plc-1", "plc-2" })
            await hub.SendAsync(HttpMethod.Post, Agent + "/devices?wait=20", $"{{\"container_name\":\"{name}\",\"vnic_configs\":[]}}", TestTimeout);
        Assert.Empty((await hub.GetAsync(Agent + "/drift", TestTimeout)).Body.EnumerateArray());
        var (status, begun) = await hub.SendAsync(HttpMethod.Delete, Agent + "/devices/plc-1", null, TestTimeout);
        Assert.Equal(HttpStatusCode.Accepted, status);
        Assert.Empty((await hub.GetAsync(Agent + "/drift", TestTimeout)).Body.EnumerateArray());
        await hub.GetAsync($"{Agent}/operations/{begun.GetProperty("id").GetInt64()}?wait=20", TestTimeout);
        Assert.Empty((await hub.GetAsync(Agent + "/drift", TestTimeout)).Body.EnumerateArray());
        // Past the hub: it still wants this one.
        await hub.SendAsync(HttpMethod.Post, Agent + "/topics/delete_device", "{\"device_id\":\"plc-2\"}", TestTimeout);
        var missing = Assert.Single((await hub.GetAsync(Agent + "/drift", TestTimeout)).Body.EnumerateArray());
        Assert.Equal(("plc-2", "it is not there"), (missing.GetProperty("deviceId").GetString(), missing.GetProperty("differences")[0].GetString()));
    }

    [Fact]
    public async Task CreationThatFails_SaysWhereAndWhy()
    {
        var (hub, _) = await StartWithAgentAsync();
        var (_, ended) = await hub.SendAsync(HttpMethod.Post, Agent + "/devices?wait=20", "{\"container_name\":\"bad-1\",\"vnic_configs\":[]}", TestTimeout);
        Assert.Equal(("failed", "pulling_image", "no such image"), (
            ended.GetProperty("state").GetString(), ended.GetProperty("step").GetString(), ended.GetProperty("error").GetString()));
    }

    [Fact]
    public async Task WrongCreations_AreRefusedWithTheirStatus()
    {
        var (hub, _) = await StartWithAgentAsync();
        Assert.Equal(HttpStatusCode.BadRequest, (await hub.SendAsync(HttpMethod.Post, Agent + "/devices", "{}", TestTimeout)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await hub.SendAsync(HttpMethod.Post, Agent + "/devices", "{\"container_name\":\"x\"}", TestTimeout)).Status);
        const string Good = "{\"container_name\":\"twice\",\"vnic_configs\":[]}";
        Assert.Equal(HttpStatusCode.Accepted, (await hub.SendAsync(HttpMethod.Post, Agent + "/devices", Good, TestTimeout)).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await hub.SendAsync(HttpMethod.Post, Agent + "/devices", Good, TestTimeout)).Status);
    }

    [Fact]
    public async Task RunCommand_PassesTheRuntimesAnswerThrough()
    {
        var (hub, _) = await StartWithAgentAsync();
        await hub.SendAsync(HttpMethod.Post, Agent + "/devices?wait=20", "{\"container_name\":\"plc-1\",\"vnic_configs\":[]}", TestTimeout);
        var (status, answer) = await hub.SendAsync(
            HttpMethod.Post, Agent + "/devices/plc-1/run-command", "{\"method\":\"GET\",\"api\":\"api/fail\"}", TestTimeout);
        Assert.Equal((HttpStatusCode.OK, "error", 418), (
            status, answer.GetProperty("status").GetString(), answer.GetProperty("http_response").GetProperty("status_code").GetInt32()));
        Assert.Equal(HttpStatusCode.NotFound, (await hub.SendAsync(
            HttpMethod.Post, Agent + "/devices/nobody/run-command", "{\"method\":\"GET\",\"api\":\"x\"}", TestTimeout)).Status);
    }

    [Fact]
    public async Task Proxy_MakesTheRuntimeLookAsIfItWereHere()
    {
        var (hub, _) = await StartWithAgentAsync();
        await hub.SendAsync(HttpMethod.Post, Agent + "/devices?wait=20", "{\"container_name\":\"plc-1\",\"vnic_configs\":[]}", TestTimeout);
        var (status, echo) = await hub.SendAsync(
            HttpMethod.Post, Agent + "/devices/plc-1/proxy/api/login?a=1&b=2&b=3", "{\"username\":\"u\"}", TestTimeout, ("X-Runtime-Authorization", "Bearer runtime"));
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(("POST", "api/login", "Bearer runtime", "u", "1"), (
            echo.GetProperty("method").GetString(), echo.GetProperty("api").GetString(), echo.GetProperty("headers").GetProperty("Authorization").GetString(),
            echo.GetProperty("data").GetProperty("username").GetString(), echo.GetProperty("params").GetProperty("a").GetString()));
        Assert.Equal(418, (int)(await hub.GetAsync(Agent + "/devices/plc-1/proxy/api/fail", TestTimeout)).Status);

        using var form = new MultipartFormDataContent { { new ByteArrayContent([1, 2, 255]), "file", "program.zip" } };
        using var uploaded = await hub.Http.PostAsync(Agent + "/devices/plc-1/proxy/api/upload-file?clean=1", form, TestTimeout);
        var files = JsonDocument.Parse(await uploaded.Content.ReadAsStringAsync(TestTimeout)).RootElement.GetProperty("files");
        Assert.Equal(("program.zip", "AQL/"), (
            files.GetProperty("file").GetProperty("filename").GetString(), files.GetProperty("file").GetProperty("content_base64").GetString()));
    }

    [Fact]
    public async Task D19_AnswerOfSeveralMegabytes_ComesThrough()
    {
        var (hub, _) = await StartWithAgentAsync();
        var (status, answer) = await hub.SendAsync(HttpMethod.Post, Agent + "/topics/big", "{\"bytes\":5000000}", TestTimeout);
        Assert.Equal((HttpStatusCode.OK, 5_000_000), (status, answer.GetProperty("text").GetString()!.Length));
    }

    [Fact]
    public async Task AgentThatStaysSilent_Is504()
    {
        var (hub, agent) = await StartWithAgentAsync();
        await agent.Input.WriteLineAsync("{\"do\":\"silence\"}");
        await agent.Input.FlushAsync(TestTimeout);
        await agent.LineAsync("\"silent\"", TestTimeout);
        var (status, _) = await hub.GetAsync(Agent + "/serial-devices?timeout=0.5", TestTimeout);
        Assert.Equal(HttpStatusCode.GatewayTimeout, status);
    }

    [Fact]
    public async Task CallInFlightWhenTheAgentDies_Is502()
    {
        var (hub, agent) = await StartWithAgentAsync("websocket");
        await agent.Input.WriteLineAsync("{\"do\":\"silence\"}");
        await agent.Input.FlushAsync(TestTimeout);
        await agent.LineAsync("\"silent\"", TestTimeout);
        var call = hub.GetAsync(Agent + "/serial-devices", TestTimeout);
        await agent.LineAsync("get_serial_devices", TestTimeout);
        agent.Kill();
        var (status, problem) = await call;
        Assert.Equal(HttpStatusCode.BadGateway, status);
        Assert.Contains("outcome is unknown", problem.GetProperty("detail").GetString());
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await hub.GetAsync(Agent + "/serial-devices", TestTimeout)).Status);
    }

    [Fact]
    public async Task SecondConnectionOfAnAgent_ReplacesTheFirst()
    {
        var hub = await StartAsync();
        var tls = await hub.EnrolAsync(Id, TestTimeout);
        var first = Own(hub.StartAgent(Id, tls, transport: "websocket"));
        await OnlineAsync(hub);
        using var watch = new EventWatch(hub.Http, "/api/edge/events");
        await watch.ReadyAsync(TestTimeout);
        Own(hub.StartAgent(Id, tls, transport: "websocket"));
        await first.LineAsync("\"disconnect\"", TestTimeout);
        first.Kill();
        await watch.NextAsync("agent_online", TestTimeout);
        await OnlineAsync(hub);
    }

    [Fact]
    public async Task RevokedAgent_LosesItsConnectionAndIsRefusedAtItsFirstRequest()
    {
        var (hub, agent) = await StartWithAgentAsync();
        Assert.True((await hub.SendAsync(HttpMethod.Post, Agent + "/revoke", null, TestTimeout)).Body.GetProperty("revoked").GetBoolean());
        await agent.LineAsync("\"disconnect\"", TestTimeout);
        await agent.LineAsync("connect_error", TestTimeout);
        Assert.Equal("offline", (await hub.GetAsync(Agent, TestTimeout)).Body.GetProperty("presence").GetString());
    }

    [Fact]
    public async Task D30_RenewedCertificate_ReplacesTheOldOne()
    {
        var (hub, agent) = await StartWithAgentAsync();
        var renewed = await hub.EnrolAsync(Id, TestTimeout);
        await agent.LineAsync("connect_error", TestTimeout);
        Own(hub.StartAgent(Id, renewed));
        await OnlineAsync(hub);
    }

    [Fact]
    public async Task Events_ContinueAfterTheLastOneSeen()
    {
        var (hub, agent) = await StartWithAgentAsync("websocket");
        using var watch = new EventWatch(hub.Http, "/api/edge/events?after=0");
        var online = await watch.NextAsync("agent_online", TestTimeout);
        agent.Kill();
        var offline = await watch.NextAsync("agent_offline", TestTimeout);
        Assert.True(offline.GetProperty("id").GetInt64() > online.GetProperty("id").GetInt64());
        using var again = new EventWatch(hub.Http, $"/api/edge/events?after={online.GetProperty("id").GetInt64()}");
        Assert.Equal(offline.GetProperty("id").GetInt64(), (await again.NextAsync("agent_offline", TestTimeout)).GetProperty("id").GetInt64());
    }

    [Fact]
    public async Task D41_Audit_TellsWhoDidWhatWithoutWhatWasSent()
    {
        var (hub, _) = await StartWithAgentAsync();
        await hub.SendAsync(HttpMethod.Post, Agent + "/devices/plc-1/run-command", "{\"method\":\"POST\",\"api\":\"api/login\",\"data\":{\"password\":\"secret!\"}}", TestTimeout);
        var (_, audit) = await hub.GetAsync("/api/edge/audit", TestTimeout);
        Assert.Contains("run_command POST api/login", audit.GetRawText());
        Assert.Contains("\"who\":\"local\"", audit.GetRawText());
        Assert.DoesNotContain("secret!", audit.GetRawText());
    }

    [Fact]
    public async Task RestartOfTheHub_KeepsAgentsNumbersAndEvents()
    {
        var folder = Directory.CreateTempSubdirectory("mooring-hub").FullName;
        long number;
        JsonObject tls;
        await using (var hub = await HubUnderTest.StartAsync(Log, folder))
        {
            tls = await hub.EnrolAsync(Id, TestTimeout);
            await using var agent = hub.StartAgent(Id, tls);
            await OnlineAsync(hub);
            await hub.GetAsync(Agent + "/serial-devices", TestTimeout);
            number = NumberOf(await agent.LineAsync("get_serial_devices", TestTimeout));
        }
        var after = Own(await HubUnderTest.StartAsync(Log, folder));
        var second = Own(after.StartAgent(Id, tls));
        await OnlineAsync(after);
        await after.GetAsync(Agent + "/serial-devices", TestTimeout);
        Assert.True(NumberOf(await second.LineAsync("get_serial_devices", TestTimeout)) > number);
        using var watch = new EventWatch(after.Http, "/api/edge/events?after=0");
        await watch.NextAsync("agent_offline", TestTimeout);
    }

    [Fact]
    public async Task FirstHubsCalls_AreKept()
    {
        var (hub, _) = await StartWithAgentAsync();
        var (_, answer) = await hub.SendAsync(
            HttpMethod.Post, "/agent/command", $"{{\"agent_id\":\"{Id}\",\"topic\":\"get_serial_devices\",\"command\":{{}}}}", TestTimeout);
        Assert.Equal("success", answer.GetProperty("response").GetProperty("status").GetString());
        var (_, beat) = await hub.SendAsync(HttpMethod.Post, "/agent/heartbeat", $"{{\"agent_id\":\"{Id}\"}}", TestTimeout);
        Assert.Equal(Id, beat.GetProperty("agent_id").GetString());
    }

    [Fact]
    public async Task Creation_IsOneTrace_FromTheRequestToTheAgentsAnswer()
    {
        var (hub, _) = await StartWithAgentAsync();
        using var spans = new SpanCollector("Mooring.Edge", "Microsoft.AspNetCore");
        var root = SpanCollector.NewTrace();
        using var request = new HttpRequestMessage(HttpMethod.Post, Agent + "/devices?wait=20")
        {
            Content = new StringContent("{\"container_name\":\"plc-1\",\"vnic_configs\":[]}", System.Text.Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("traceparent", $"00-{root.TraceId}-{root.SpanId}-01");
        using var answer = await hub.Http.SendAsync(request, TestTimeout);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var server = await spans.WhenAsync(root.TraceId, "Microsoft.AspNetCore.Hosting.HttpRequestIn", TestTimeout);
        var operation = await spans.WhenAsync(root.TraceId, "edge operation", TestTimeout);
        var first = await spans.WhenAsync(root.TraceId, "edge call", TestTimeout);
        var second = await spans.WhenAsync(root.TraceId, "edge call", TestTimeout, first);
        Assert.Equal((root.SpanId, server.SpanId, server.SpanId), (server.ParentSpanId, operation.ParentSpanId, first.ParentSpanId));
        Assert.Equal(("create_new_runtime", "get_device_status"), (first.GetTagItem("mooring.edge.topic"), second.GetTagItem("mooring.edge.topic")));
        Assert.Equal(operation.SpanId, second.ParentSpanId);
        Assert.Equal(first.GetTagItem("mooring.edge.correlation"), operation.GetTagItem("mooring.edge.correlation"));
    }

    private static long NumberOf(string line) => JsonNode.Parse(line)!["message"]!["correlation_id"]!.GetValue<long>();

    private async Task<HubUnderTest> StartAsync() => Own(await HubUnderTest.StartAsync(Log, Directory.CreateTempSubdirectory("mooring-hub").FullName));

    private async Task<(HubUnderTest Hub, ProcessUnderTest Agent)> StartWithAgentAsync(string? transport = null)
    {
        var hub = await StartAsync();
        var agent = Own(hub.StartAgent(Id, await hub.EnrolAsync(Id, TestTimeout), transport: transport));
        await OnlineAsync(hub);
        return (hub, agent);
    }

    /// <summary>Waits for the agent's heartbeat; what happened before counts.</summary>
    private async Task<JsonElement> OnlineAsync(HubUnderTest hub)
    {
        using var watch = new EventWatch(hub.Http, "/api/edge/events?agent=" + Id);
        await watch.ReadyAsync(TestTimeout);
        while (true)
        {
            var view = (await hub.GetAsync(Agent, TestTimeout)).Body;
            if (view.GetProperty("presence").GetString() == "online" && view.GetProperty("lastHeartbeat").ValueKind == JsonValueKind.Object) return view;
            await watch.NextAsync(null, TestTimeout);
        }
    }
}
