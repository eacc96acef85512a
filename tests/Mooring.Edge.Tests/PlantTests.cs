using System.Text.Json;
using System.Text.Json.Nodes;
using Mooring.Testing;

namespace Mooring.Edge.Tests;

/// <summary>
/// Everything as it runs at a plant: hub, agent and network monitor as programs, a real engine, a LAN with a DHCP server. All is asked for
/// through the hub's REST API with curl.
/// </summary>
[Trait("Peer", "real")]
[Collection(nameof(RoughPlantFloor))]
public sealed class PlantTests(RoughPlantFloor plant) : MooringTest
{
    private const string Api = "http://127.0.0.1:7700/api/orchestrators/plant01";
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-plant-").FullName;
    private string[] _command = [];
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(240));

    [Fact]
    public async Task D11_Runtime_LivesOnThePlantLan_FromTheHubsRestApi_OverRestartsOfAgentMonitorAndEngine_AndLeavesNothing()
    {
        await plant.UpAsync(_limit.Token);
        var hub = Own(plant.StartOnHost("hub", "--data", Path.Combine(_folder, "hub")));
        await hub.LineAsync("The hub is up", _limit.Token);
        var enrolled = await EnrollAsync();
        Assert.True(enrolled.ExitCode == 0, enrolled.Output);
        var monitor = Own(StartMonitor());
        await monitor.LineAsync("listens at", _limit.Token);
        _command = CommandIn(enrolled.Output);
        var agent = Own(StartAgent());
        await agent.LineAsync("connected to the hub", _limit.Token);

        // Made with a given MAC and a lease of the plant's server.
        const string Mac = "02:aa:bb:cc:dd:01";
        var creating = await CurlAsync("POST", "/devices", new JsonObject
        {
            ["container_name"] = "plc1",
            ["vnic_configs"] = new JsonArray(new JsonObject { ["name"] = "lan1", ["parent_interface"] = "ens37", ["network_mode"] = "dhcp", ["mac"] = Mac }),
        });
        Assert.Equal("create_new_runtime", creating.GetProperty("topic").GetString());
        var status = await DeviceAsync(s => IsOnLan(s));
        var lan = status.GetProperty("networks").EnumerateObject().Single().Value;
        var address = lan.GetProperty("ip_address").GetString()!;
        Assert.Equal(Mac, lan.GetProperty("mac_address").GetString());
        await AnswersOnTheLanAsync(address, Mac);

        // Answers a request through run_command, and shows its consumption.
        var called = await CurlAsync("POST", "/devices/plc1/run-command", new JsonObject { ["method"] = "GET", ["api"] = "api/version", ["port"] = 8080 });
        Assert.Equal("test", called.GetProperty("http_response").GetProperty("body").GetProperty("version").GetString());
        var consumption = await CurlUntilAsync("/devices/plc1/consumption?cpuPeriod=1h&memoryPeriod=1h",
            c => c.TryGetProperty("cpu_usage", out var cpu) && cpu.GetArrayLength() > 0);
        Assert.Equal("unlimited", consumption.GetProperty("cpu").GetString());

        // Keeps address and MAC over a killed agent and a killed monitor.
        agent.Kill();
        monitor.Kill();
        await agent.ExitAsync(_limit.Token);
        await AnswersOnTheLanAsync(address, Mac);
        var newMonitor = Own(StartMonitor());
        await newMonitor.LineAsync("listens at", _limit.Token);
        var newAgent = Own(StartAgent());
        await newAgent.LineAsync("connected to the hub", _limit.Token);
        status = await DeviceAsync(IsOnLan);
        Assert.Equal(address, status.GetProperty("networks").EnumerateObject().Single().Value.GetProperty("ip_address").GetString());
        await AnswersOnTheLanAsync(address, Mac);

        // Keeps them over a restart of the engine, which ends every container.
        await plant.StopAsync("dockerd", _limit.Token);
        await plant.StartAsync(_limit.Token);
        status = await DeviceAsync(s => IsOnLan(s) && s.GetProperty("is_running").GetBoolean());
        Assert.Equal(address, AddressOf(status));
        await AnswersOnTheLanAsync(address, Mac);

        // Follows the plant into another subnet with its MAC, and is at its old address when the plant comes back.
        await MoveAsync("192.168.77", "192.168.88");
        status = await DeviceAsync(s => IsOnLan(s) && AddressOf(s).StartsWith("192.168.88.", StringComparison.Ordinal));
        await AnswersOnTheLanAsync(AddressOf(status), Mac);
        await MoveAsync("192.168.88", "192.168.77");
        status = await DeviceAsync(s => IsOnLan(s) && AddressOf(s) == address);
        await AnswersOnTheLanAsync(address, Mac);

        // Is as the hub wanted it; the hub counts what happened, in units.
        Assert.Equal("[]", (await CurlAsync("GET", "/drift")).GetRawText());
        var (_, metrics) = await plant.RunAsync(_limit.Token, onHost: true, "curl", "--silent", "http://127.0.0.1:7700/metrics");
        Assert.Contains("mooring_edge_agents_connected 1", metrics);
        Assert.Matches("mooring_edge_heartbeats_total [1-9]", metrics);
        Assert.Contains("mooring_edge_call_duration_seconds_count{status=\"200\",topic=\"get_device_status\"}", metrics.Replace("topic=\"get_device_status\",status=\"200\"", "status=\"200\",topic=\"get_device_status\""));

        // Is stopped, stays so, is started, and is on the LAN again.
        await CurlAsync("POST", "/devices/plc1/stop");
        Assert.Equal("exited", (await DeviceAsync(s => !s.GetProperty("is_running").GetBoolean())).GetProperty("container_status").GetString());
        await CurlAsync("POST", "/devices/plc1/start");
        status = await DeviceAsync(IsOnLan);
        await AnswersOnTheLanAsync(status.GetProperty("networks").EnumerateObject().Single().Value.GetProperty("ip_address").GetString()!, Mac);

        // Is deleted, and nothing is left.
        await CurlAsync("DELETE", "/devices/plc1?wait=25");
        await CurlUntilAsync("/devices/plc1", s => s.TryGetProperty("status", out var code) && code.ValueKind == JsonValueKind.Number && code.GetInt32() == 404);
        var left = await plant.RunAsync(_limit.Token, onHost: true, "sh", "-c",
            $"export DOCKER_HOST=unix://{plant.SocketPath}; docker ps -aq --filter name=plc1; docker network ls -q --filter name=plc1; docker volume ls -q --filter name=plc1");
        Assert.Equal("", left.Output.Trim());
        Assert.Equal("[]", (await CurlAsync("GET", "/drift")).GetRawText());
        newAgent.Terminate();
        Assert.Equal(0, await newAgent.ExitAsync(_limit.Token));
        newMonitor.Terminate();
        Assert.Equal(0, await newMonitor.ExitAsync(_limit.Token));
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _limit.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static string AddressOf(JsonElement status) =>
        status.GetProperty("networks").EnumerateObject().Single().Value.GetProperty("ip_address").GetString()!;

    private async Task MoveAsync(string from, string to)
    {
        await plant.StopAsync("dnsmasq", _limit.Token);
        await plant.RunAsync(_limit.Token, onHost: false, "sh", "-c", $"ip addr del {from}.1/24 dev br-lan; ip addr add {to}.1/24 dev br-lan");
        await plant.StartAsync(_limit.Token, to);
        await plant.RunAsync(_limit.Token, onHost: true, "sh", "-c",
            $"ip addr del {from}.10/24 dev ens37; ip addr add {to}.10/24 dev ens37; ip route replace default via {to}.1");
    }

    private static bool IsOnLan(JsonElement status) => status.TryGetProperty("lan_ready", out var ready) && ready.GetBoolean();

    private ProcessUnderTest StartMonitor() => plant.StartOnHost("netmon", "--data-dir", Path.Combine(_folder, "agent"));

    // As 'hub enroll' printed it, but for what is elsewhere on this plant floor.
    private ProcessUnderTest StartAgent() => plant.StartOnHost(
        [.. _command, "--data-dir", Path.Combine(_folder, "agent"), "--engine-socket", plant.SocketPath, "--pull", "IfNotPresent"]);

    private static string[] CommandIn(string printed) =>
        printed.Split('\n').Single(line => line.Contains("./mooring agent", StringComparison.Ordinal)).Trim().Split(' ')[1..];

    private Task<(int ExitCode, string Output)> EnrollAsync() => plant.RunAsync(_limit.Token, onHost: true,
        Path.Combine(AppContext.BaseDirectory, "mooring"), "hub", "enroll", "plant01", "--data", Path.Combine(_folder, "hub"), "--out", Path.Combine(_folder, "id"));

    private Task<JsonElement> DeviceAsync(Func<JsonElement, bool> isWanted) =>
        CurlUntilAsync("/devices/plc1", s => s.TryGetProperty("is_running", out _) && isWanted(s));

    // Operators have no other way either: what they see is all that is asked.
    private async Task<JsonElement> CurlUntilAsync(string path, Func<JsonElement, bool> isWanted)
    {
        while (true)
        {
            var answer = await CurlAsync("GET", path);
            if (isWanted(answer)) return answer;
            try
            {
                await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, _limit.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"the last answer of {path}: {answer}");
            }
        }
    }

    private async Task<JsonElement> CurlAsync(string method, string path, JsonObject? body = null)
    {
        var (exitCode, output) = await plant.RunAsync(_limit.Token, onHost: true,
            ["curl", "--silent", "--max-time", "30", "--request", method, .. body is null ? Array.Empty<string>() : ["--json", body.ToJsonString()], Api + path]);
        Assert.True(exitCode == 0, $"curl {method} {path}: {exitCode} {output}");
        using var document = JsonDocument.Parse(output.Length == 0 ? "{}" : output);
        return document.RootElement.Clone();
    }

    private async Task AnswersOnTheLanAsync(string address, string mac)
    {
        await plant.RunAsync(_limit.Token, onHost: false, "ip", "neigh", "flush", "dev", "br-lan");
        var ping = await plant.RunAsync(_limit.Token, onHost: false, "ping", "-c", "1", "-W", "5", address);
        Assert.True(ping.ExitCode == 0, ping.Output);
        Assert.Contains(mac, (await plant.RunAsync(_limit.Token, onHost: false, "ip", "neigh", "show", address)).Output);
    }
}
