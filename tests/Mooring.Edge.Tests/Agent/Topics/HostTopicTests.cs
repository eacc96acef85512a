using System.Text.Json;
using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Metrics;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Protocol.Monitor;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.Topics;

/// <summary>What an agent tells of its machine, and how it answers whatever it is asked.</summary>
public sealed class HostTopicTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-host-").FullName;
    private readonly TestClock _clock = new();

    [Fact]
    public async Task Interfaces_WithoutAMonitor_AreAnError()
    {
        await using var agent = Agent();
        var answer = await agent.AskAsync("get_host_interfaces", new JsonObject());
        Assert.Equal(("error", "no_interfaces"), (Text(answer, "status"), Text(answer, "error_code")));
        Assert.Contains("network monitor is not running", Text(answer, "error"));
    }

    [Theory]
    [InlineData(null, "dead,eth0,wlan0")]
    [InlineData(true, "dead,DOCKER0,br-1,eth0,veth9,wlan0")]
    [InlineData(false, "dead,eth0,wlan0")]
    public async Task Interfaces_ThatSoftwareMade_AreShownOnDemandOnly_InAnyCase(bool? includeVirtual, string names)
    {
        await using var agent = Agent();
        Discover(agent, Nic("veth9"), Nic("DOCKER0"), Nic("br-1"), Nic("wlan0", "wifi"), Nic("eth0", addresses: "192.168.77.10/24"), Nic("dead"));
        var answer = await agent.AskAsync("get_host_interfaces", new JsonObject { ["include_virtual"] = includeVirtual });
        Assert.Equal(names.Split(',').Order(StringComparer.Ordinal), answer.GetProperty("interfaces").EnumerateArray().Select(nic => Text(nic, "name")));
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public async Task Interface_HasSubnetAndGatewayWhenDetailed_AndNeverALoopbackAddress(bool? detailed, bool hasDetails)
    {
        await using var agent = Agent();
        Discover(agent, Nic("eth0", addresses: "127.0.0.5/8 192.168.77.10/24 10.1.1.1/16"), Nic("eth1"), Nic("wlan0", "wifi"));
        var nics = (await agent.AskAsync("get_host_interfaces", new JsonObject { ["detailed"] = detailed })).GetProperty("interfaces").EnumerateArray().ToList();
        Assert.Equal("192.168.77.10", Text(nics[0], "ip_address"));
        Assert.Equal(["192.168.77.10", "10.1.1.1"], nics[0].GetProperty("ipv4_addresses").EnumerateArray().Select(a => a.GetString()));
        Assert.Equal(hasDetails, nics[0].TryGetProperty("subnet", out var subnet) && subnet.GetString() == "192.168.77.10/24");
        Assert.Equal(hasDetails, nics[0].TryGetProperty("gateway", out _));
        // Without an address a wired one can only be dedicated; a wireless one not even that.
        Assert.Equal([false, true, false], nics.Select(nic => nic.TryGetProperty("dedicated_only", out var only) && only.GetBoolean()));
        Assert.Equal(JsonValueKind.Null, nics[1].GetProperty("ip_address").ValueKind);
    }

    [Fact]
    public async Task InterfaceThatWasMovedIntoADevice_IsListedOnce_WithItsOwner()
    {
        await using var agent = Agent();
        agent.Get<AgentState>().DedicatedNics.Set("one", new DedicatedNicRecord("eth1"));
        agent.Get<AgentState>().DedicatedNics.Set("two", new DedicatedNicRecord("eth2"));
        Discover(agent, Nic("eth0", addresses: "192.168.77.10/24"), Nic("eth2"));
        var nics = (await agent.AskAsync("get_host_interfaces", new JsonObject())).GetProperty("interfaces").EnumerateArray().ToList();
        Assert.Equal([("eth0", null), ("eth1", "one"), ("eth2", "two")],
            nics.Select(nic => (Text(nic, "name"), nic.TryGetProperty("dedicated_to", out var owner) ? owner.GetString() : null)));
        Assert.False(nics[1].TryGetProperty("subnet", out _) || nics[1].TryGetProperty("gateway", out _));
    }

    [Fact]
    public async Task SerialDevices_WithFieldsMissing_AreListedAndCounted()
    {
        await using var agent = Agent();
        agent.Get<HostNetwork>().Apply(new MonitorEvent(MonitorEvent.DeviceDiscovery, JsonSerializer.Deserialize<JsonElement>("""
            {"devices":[{"path":"/dev/ttyUSB0","by_id":"/dev/serial/by-id/usb-FTDI_1","major":188,"minor":0,"vendor_id":"0403","product_id":"6001","serial":"A1","manufacturer":"FTDI","product":"UART"},
            {"path":"/dev/ttyS0"},{}],"timestamp":"t"}
            """)));
        var answer = await agent.AskAsync("get_serial_devices", new JsonObject());
        Assert.Equal(2, answer.GetProperty("count").GetInt32());
        var devices = answer.GetProperty("devices").EnumerateArray().ToList();
        Assert.Equal([("/dev/ttyS0", "/dev/ttyS0", null), ("/dev/ttyUSB0", "/dev/serial/by-id/usb-FTDI_1", "0403")],
            devices.Select(d => (Text(d, "path"), Text(d, "device_id"), Text(d, "vendor_id"))));
        Assert.Equal([false, true], devices.Select(d => !d.TryGetProperty("stable", out _)));
    }

    [Theory]
    [InlineData("""{"NanoCpus":500000000,"Memory":536870912}""", "0.5 vCPU", "512 MB")]
    [InlineData("""{"CpuQuota":150000,"CpuPeriod":100000}""", "1.5 vCPU", "unlimited")]
    [InlineData("""{"CpuQuota":150000}""", "unlimited", "unlimited")]
    [InlineData("{}", "unlimited", "unlimited")]
    [InlineData(null, "N/A", "N/A")]
    public async Task Consumption_TellsTheLimits_AsTheEngineKnowsThem(string? limits, string cpu, string memory)
    {
        var engine = await EngineAsync();
        if (limits is not null) engine.Put("plc", isRunning: true, c => c["HostConfig"] = JsonNode.Parse(limits));
        await using var agent = Agent();
        agent.Get<AgentState>().Devices.Set("plc", new DeviceRecord { Name = "plc" });
        var answer = await agent.AskAsync("get_consumption_device", Periods("plc"));
        Assert.Equal((cpu, memory), (Text(answer, "cpu"), Text(answer, "memory")));
        Assert.False(answer.TryGetProperty("status", out _));
    }

    [Fact]
    public async Task Consumption_OfAnUnknownDevice_IsAnError_AndBothPeriodsAreDemanded()
    {
        await using var agent = Agent();
        Assert.Equal(("error", "not_found"), await ErrorAsync(Periods("nobody")));
        var one = Periods("nobody");
        one.Remove("memoryPeriod");
        Assert.Equal(("error", "missing_field"), await ErrorAsync(one));

        async Task<(string?, string?)> ErrorAsync(JsonObject message)
        {
            var answer = await agent.AskAsync("get_consumption_device", message);
            return (Text(answer, "status"), Text(answer, "error_code"));
        }
    }

    [Fact]
    public async Task Consumption_OfTheMachine_HasItsFactsAddressesAndSamples_AsWholeNumbers()
    {
        await using var agent = Agent();
        Discover(agent, Nic("eth0", addresses: "127.0.0.5/8 192.168.77.10/24"), Nic("docker0", addresses: "172.17.0.1/16"));
        agent.Get<LoadRecorder>().RecordHost(42.7, 819.2);
        var answer = await agent.AskAsync("get_consumption_orchestrator", Periods(null));
        Assert.Equal("""[{"interface":"eth0","ip_address":"192.168.77.10"}]""", answer.GetProperty("ip_addresses").GetRawText());
        var at = _clock.GetUtcNow().ToUnixTimeSeconds();
        Assert.Equal($$"""[{"timestamp":{{at}},"cpu":42}]""", answer.GetProperty("cpu_usage").GetRawText());
        Assert.Equal($$"""[{"timestamp":{{at}},"memory":819}]""", answer.GetProperty("memory_usage").GetRawText());
        Assert.All(new[] { "memory", "cpu", "disk" }, fact => Assert.Equal(JsonValueKind.Number, answer.GetProperty(fact).ValueKind));
        Assert.All(new[] { "os", "kernel" }, fact => Assert.NotEqual("", Text(answer, fact)));
        Assert.False(answer.TryGetProperty("status", out _));
    }

    [Fact]
    public async Task Version_IsThatOfAgentAndMonitor_AndOfTheAgentsImage()
    {
        var engine = await EngineAsync();
        await using var agent = Agent();
        var without = await agent.AskAsync("get_orchestrator_version", new JsonObject());
        Assert.Equal(("success", "test", "unknown", "unknown"), Versions(without));
        engine.Put("autonomy_netmon", isRunning: true, c => c["Config"]!["Env"] = new JsonArray("PATH=/bin", "AGENT_VERSION=v1.2.6"));
        engine.Put("agent", isRunning: true, c => c["Config"]!["Labels"] = new JsonObject { ["edge.autonomy.role"] = "orchestrator-agent" });
        Assert.Equal(("success", "test", "v1.2.6", "sha256:agent"), Versions(await agent.AskAsync("get_orchestrator_version", new JsonObject())));

        static (string?, string?, string?, string?) Versions(JsonElement answer) =>
            (Text(answer, "status"), Text(answer, "orchestrator_version"), Text(answer, "netmon_version"), Text(answer, "orchestrator_image_id"));
    }

    [Theory]
    [InlineData("webrtc:offer", """{"session_id":"s","device_id":"plc","sdp":"v=0","sdp_type":"offer"}""", "error")]
    [InlineData("webrtc:ice", """{"session_id":"s","candidate":null}""", "error")]
    [InlineData("webrtc:disconnect", """{"session_id":"s"}""", "warning")]
    public async Task WebRtc_IsAnsweredInItsShape_SoThatABrowserFallsBack(string topic, string message, string status)
    {
        await using var agent = Agent();
        var answer = await agent.AskAsync(topic, JsonNode.Parse(message)!);
        Assert.Equal((status, "s", "webrtc_unavailable"), (Text(answer, "status"), Text(answer, "session_id"), Text(answer, "error_code")));
        Assert.Contains("run_command", Text(answer, "error"));
        Assert.Equal("missing_field", Text(await agent.AskAsync(topic, new JsonObject()), "error_code"));
    }

    [Fact]
    public async Task EveryTopic_AnswersWhatItCannotRead_WithItsNameAndTheNumberOfTheRequest()
    {
        await using var agent = Agent();
        foreach (var topic in agent.Get<Mooring.Edge.Agent.Topics.TopicTable>().Names)
        {
            var answer = await agent.AskAsync(topic, new JsonObject { ["correlation_id"] = 77, ["requested_at"] = "soon" });
            Assert.Equal(("error", topic, 77), (Text(answer, "status"), Text(answer, "action"), answer.GetProperty("correlation_id").GetInt32()));
            Assert.Equal("Invalid field type: expected an ISO date-time: requested_at", Text(answer, "error"));
            Assert.Equal("requested_at", Text(answer, "field"));
            foreach (var odd in new[] { "[]", "7", "\"text\"", "null", "true" })
            {
                var refused = await agent.AskAsync(topic, JsonNode.Parse(odd));
                Assert.Equal(("error", topic), (Text(refused, "status"), Text(refused, "action")));
            }
        }
    }

    [Fact]
    public async Task LogsThatTheEngineCutsInsideALetter_AreWhole()
    {
        var engine = await EngineAsync();
        var word = "Füllstand über 90 %\n"u8.ToArray();
        // Frames of both streams between each other: kind, three zeros, length in network byte order.
        engine.Logs = [.. Frame(1, word[..2]), .. Frame(2, word[..12]), .. Frame(1, word[2..]), .. Frame(2, word[12..])];
        await using var agent = Agent();
        agent.Get<AgentState>().Devices.Set("plc", new DeviceRecord { Name = "plc" });
        Assert.Equal("FFüllstand üllstand über 90 %\nüber 90 %\n", Text(await agent.AskAsync("get_logs", new JsonObject { ["device_id"] = "plc" }), "log"));

        static byte[] Frame(byte stream, byte[] text) => [stream, 0, 0, 0, 0, 0, 0, (byte)text.Length, .. text];
    }

    [Fact]
    public async Task RunCommand_ForADeviceThatIsNotThere_HasNoResponse_AndForOneWithoutAddress_SaysSo()
    {
        await using var agent = Agent();
        var call = new JsonObject { ["device_id"] = "plc", ["method"] = "GET", ["api"] = "api/status" };
        var unknown = await agent.AskAsync("run_command", call);
        Assert.Equal(("error", "Device not found: plc"), (Text(unknown, "status"), Text(unknown, "error")));
        Assert.False(unknown.TryGetProperty("http_response", out _));
        agent.Get<AgentState>().Devices.Set("plc", new DeviceRecord { Name = "plc" });
        var response = (await agent.AskAsync("run_command", call)).GetProperty("http_response");
        Assert.Equal((500, "{}", false, "application/json"), (response.GetProperty("status_code").GetInt32(), response.GetProperty("headers").GetRawText(),
            response.GetProperty("ok").GetBoolean(), Text(response, "content_type")));
        Assert.Contains("no address", Text(response.GetProperty("body"), "error"));
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static string? Text(JsonElement answer, string name) => answer.GetProperty(name).GetString();

    private static JsonObject Periods(string? device) => new() { ["device_id"] = device, ["cpuPeriod"] = "1h", ["memoryPeriod"] = "1h" };

    private static JsonObject Nic(string name, string type = "ethernet", string addresses = "") => new()
    {
        ["interface"] = name, ["type"] = type, ["gateway"] = null,
        ["ipv4_addresses"] = new JsonArray([.. addresses.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(address => new JsonObject
        {
            ["address"] = address.Split('/')[0], ["prefixlen"] = int.Parse(address.Split('/')[1]), ["subnet"] = address, ["network_address"] = null,
        })]),
    };

    private static void Discover(AgentUnderTest agent, params JsonObject[] nics) => agent.Get<HostNetwork>().Apply(new MonitorEvent(
        MonitorEvent.NetworkDiscovery, JsonSerializer.SerializeToElement(new JsonObject { ["interfaces"] = new JsonArray([.. nics]) })));

    private async Task<PlayedEngine> EngineAsync() => Own(await PlayedEngine.StartAsync(new PlayedEngine { SocketPath = Path.Combine(_folder, "engine.sock") }));

    private AgentUnderTest Agent() => new(_folder, Path.Combine(_folder, "engine.sock"), LoggerFactory, time: _clock);
}
