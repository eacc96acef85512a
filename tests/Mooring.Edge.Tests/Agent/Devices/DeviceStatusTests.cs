using System.Text.Json;
using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Protocol.Monitor;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.Devices;

/// <summary>The status of devices in all its shapes, from an engine that is played.</summary>
public sealed class DeviceStatusTests : MooringTest
{
    private const string Lan = "macvlan_eth0_192.168.77.0_24";

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-status-").FullName;
    private readonly TestClock _clock = new();
    private PlayedEngine _engine = null!;
    private AgentUnderTest _agent = null!;

    [Fact]
    public async Task RunningDevice_HasItsUptimeRestartsHealthAndPrivateAddress_AndNoExitCode()
    {
        await StartAsync(running: true, c =>
        {
            c["RestartCount"] = 2;
            c["State"] = State("running", started: "2029-12-31T23:59:00.987654321Z", health: "healthy");
        });
        var status = await StatusAsync();
        Assert.Equal(("success", "plc", "running", true, 2, 60, "healthy", "10.213.0.2"), (Text(status, "status"), Text(status, "device_id"), Text(status, "container_status"),
            status.GetProperty("is_running").GetBoolean(), status.GetProperty("restart_count").GetInt32(), status.GetProperty("uptime_seconds").GetInt32(),
            Text(status, "health_status"), Text(status, "internal_ip")));
        Assert.False(status.TryGetProperty("exit_code", out _));
    }

    [Fact]
    public async Task StoppedDevice_HasItsExitCode_AndNoUptime()
    {
        await StartAsync(running: false, c => c["State"] = State("exited", exitCode: 137, started: "2029-12-31T23:59:00Z"));
        var status = await StatusAsync();
        Assert.Equal(("exited", false, 137), (Text(status, "container_status"), status.GetProperty("is_running").GetBoolean(), status.GetProperty("exit_code").GetInt32()));
        Assert.False(status.TryGetProperty("uptime_seconds", out _) || status.TryGetProperty("health_status", out _));
    }

    [Theory]
    [InlineData("2029-12-31T23:59:30Z", 30)]
    [InlineData("2029-12-31T23:59:30", 30)]
    [InlineData("2029-12-31T23:59:30.5Z", 30)]
    [InlineData("2030-01-01T00:00:09Z", 0)]
    [InlineData("yesterday", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public async Task TimeOfTheStart_IsReadInAnyForm_OrLeftOut(string? started, int? uptime)
    {
        await StartAsync(running: true, c => c["State"] = State("running", started: started));
        var status = await StatusAsync();
        Assert.Equal(uptime, status.TryGetProperty("uptime_seconds", out var seconds) ? seconds.GetInt32() : null);
    }

    [Fact]
    public async Task Operation_HidesTheContainer_AndAFailedOneStandsBesideIt()
    {
        await StartAsync(running: true);
        var operations = _agent.Get<OperationTable>();
        operations.TryBegin("plc", OperationKind.Update, out _);
        operations.Step("plc", "pulling_image");
        var running = await StatusAsync();
        Assert.Equal(("update", "pulling_image"), (Text(running, "operation"), Text(running, "step")));
        Assert.Equal(("2030-01-01T00:00:00.000000", "2030-01-01T00:00:00.000000"), (Text(running, "started_at"), Text(running, "updated_at")));
        Assert.False(running.TryGetProperty("container_status", out _));
        operations.Fail("plc", "no space");
        var failed = await StatusAsync();
        Assert.Equal(("success", "running", "no space"), (Text(failed, "status"), Text(failed, "container_status"), Text(failed, "last_operation_error")));
    }

    [Fact]
    public async Task DeviceWithoutContainer_IsNotFound_AndAnEngineThatFails_IsAnError()
    {
        await StartAsync(running: true);
        Assert.Equal(("not_found", "nobody"), (Text(await _agent.AskDeviceAsync("get_device_status", "nobody"), "status"), Text(await _agent.AskDeviceAsync("get_device_status", "nobody"), "device_id")));
        _engine.Refusal = request => request == "GET containers/plc/json" ? "out of memory" : null;
        var status = await StatusAsync();
        Assert.Equal(("error", "plc", "out of memory"), (Text(status, "status"), Text(status, "device_id"), Text(status, "error")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    public async Task EmptyName_IsRefused(string device)
    {
        await StartAsync(running: true);
        var status = await _agent.AskDeviceAsync("get_device_status", device);
        Assert.Equal(("error", "device_id"), (Text(status, "status"), Text(status, "field")));
    }

    [Theory]
    [InlineData(Lan)]
    [InlineData(null)]
    public async Task AddressOfTheEngine_GivesWayToTheLease_ByTheNameOfTheNetwork_OrItsParent(string? network)
    {
        await StartAsync(running: true, c => c["NetworkSettings"]!["Networks"]![Lan] = new JsonObject { ["IPAddress"] = "192.168.77.2", ["MacAddress"] = "02:00:00:00:00:01", ["Gateway"] = "192.168.77.254" });
        _agent.Get<AgentState>().Vnics.Set("plc",
        [
            new VnicRecord { Name = "other", ParentInterface = "eth1", NetworkMode = "dhcp", NetworkName = "macvlan_eth1_unknown", DhcpIp = "10.9.9.9" },
            new VnicRecord { Name = "lan", ParentInterface = "eth0", NetworkMode = "dhcp", NetworkName = network },
        ]);
        Assert.Equal(("192.168.77.2", "192.168.77.254"), AddressOf(await StatusAsync(), Lan));
        _agent.Get<AgentState>().Vnics.Update("plc", vnics => [.. vnics.Select(v => v.Name == "lan" ? v with { DhcpIp = "192.168.77.101", DhcpGateway = "192.168.77.1" } : v)]);
        Assert.Equal(("192.168.77.101", "192.168.77.1"), AddressOf(await StatusAsync(), Lan));
        Assert.DoesNotContain((await StatusAsync()).GetProperty("networks").EnumerateObject(), n => n.Name.EndsWith("_internal", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WirelessInterface_IsListedWhenItHasAnAddress_WithoutAHardwareAddress()
    {
        await StartAsync(running: true);
        _agent.Get<AgentState>().Vnics.Set("plc",
        [
            new VnicRecord { Name = "fixed", ParentInterface = "wlan0", NetworkMode = "static", Ip = "10.0.0.9/24", Gateway = "10.0.0.1", IsWifi = true },
            new VnicRecord { Name = "leased", ParentInterface = "wlan0", NetworkMode = "dhcp", DhcpIp = "10.0.0.50", IsWifi = true, ProxyArp = new ProxyArp { Gateway = "10.0.0.254" } },
            new VnicRecord { Name = "waiting", ParentInterface = "wlan0", NetworkMode = "dhcp", IsWifi = true },
        ]);
        var status = await StatusAsync();
        Assert.Equal(["wifi_wlan0_fixed", "wifi_wlan0_leased"], status.GetProperty("networks").EnumerateObject().Select(n => n.Name));
        Assert.Equal((("10.0.0.9", "10.0.0.1"), ("10.0.0.50", "10.0.0.254")), (AddressOf(status, "wifi_wlan0_fixed"), AddressOf(status, "wifi_wlan0_leased")));
        Assert.Equal(JsonValueKind.Null, status.GetProperty("networks").GetProperty("wifi_wlan0_fixed").GetProperty("mac_address").ValueKind);
        Assert.False(status.GetProperty("lan_ready").GetBoolean());
    }

    [Fact]
    public async Task SerialPorts_TellTheirPathOnTheHost_OnlyWhileTheyAreConnected()
    {
        await StartAsync(running: true);
        _agent.Get<AgentState>().SerialPorts.Set("plc", new SerialRecord
        {
            Ports =
            [
                new SerialPortRecord { Name = "a", DeviceId = "usb-A", ContainerPath = "/dev/a", Status = "connected", CurrentHostPath = "/dev/ttyUSB0" },
                new SerialPortRecord { Name = "b", DeviceId = "usb-B", ContainerPath = "/dev/b", Status = "error", CurrentHostPath = "/dev/ttyUSB1" },
            ],
        });
        var ports = (await StatusAsync()).GetProperty("serial_ports").EnumerateArray().ToList();
        Assert.Equal([("a", "usb-A", "/dev/a", "connected", "/dev/ttyUSB0"), ("b", "usb-B", "/dev/b", "error", null)], ports.Select(port => (
            Text(port, "name"), Text(port, "device_id"), Text(port, "container_path"), Text(port, "status"),
            port.TryGetProperty("current_host_path", out var path) ? path.GetString() : null)));
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static string? Text(JsonElement status, string name) => status.GetProperty(name).GetString();

    private static (string? Address, string? Gateway) AddressOf(JsonElement status, string network) =>
        (Text(status.GetProperty("networks").GetProperty(network), "ip_address"), Text(status.GetProperty("networks").GetProperty(network), "gateway"));

    private static JsonObject State(string word, int exitCode = 0, string? started = null, string? health = null) => new()
    {
        ["Status"] = word, ["Running"] = word == "running", ["Pid"] = word == "running" ? 4711 : 0, ["ExitCode"] = exitCode, ["StartedAt"] = started,
        ["Health"] = health is null ? null : new JsonObject { ["Status"] = health },
    };

    private async Task StartAsync(bool running, Action<JsonObject>? change = null)
    {
        _engine = new PlayedEngine { SocketPath = Path.Combine(_folder, "engine.sock") };
        var container = _engine.Put("plc", running);
        change?.Invoke(container);
        Own(await PlayedEngine.StartAsync(_engine));
        _agent = Own(new AgentUnderTest(_folder, _engine.SocketPath, LoggerFactory, time: _clock));
        _agent.Get<AgentState>().Devices.Set("plc", new DeviceRecord { Name = "plc" });
    }

    private Task<JsonElement> StatusAsync() => _agent.AskDeviceAsync("get_device_status", "plc");
}
