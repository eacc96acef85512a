using System.Text.Json;
using System.Text.Json.Nodes;
using Mooring.Edge.Agent;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Agent.State;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.Devices;

/// <summary>Making devices on bad days, with an engine and a network monitor that are played.</summary>
public sealed class DeviceCreationTests : MooringTest
{
    private const string Image = "ghcr.io/autonomy-logic/openplc-runtime";

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-creation-").FullName;
    private PlayedEngine _engine = null!;
    private PlayedMonitor _monitor = null!;
    private AgentUnderTest _agent = null!;

    [Theory]
    [InlineData(true, null, "the registry does not have it")]
    [InlineData(true, "no route to the registry", "no route to the registry")]
    public async Task ImageThatCannotBePulled_IsTheLocalOneWithAWarning(bool isHere, string? refusal, string reason)
    {
        await StartAsync(isHere, options => options with { Pull = PullPolicy.Always });
        _engine.Refusal = request => request == "POST images/create" ? refusal : null;
        var status = await CreatedAsync();
        Assert.Equal($"the image {Image}:latest could not be pulled, the local one is used: {reason}", status.GetProperty("warnings")[0].GetString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("no route to the registry")]
    public async Task ImageThatIsNowhere_FailsWithItsVersion_AndLeavesNothing(string? refusal)
    {
        Expect(7021);
        await StartAsync(isHere: false);
        _engine.Refusal = request => request == "POST images/create" ? refusal : null;
        await CreateAsync("plc", message => message["runtime_version"] = "v9.9.9");
        var status = await FailedAsync("plc");
        Assert.Equal("pulling_image", status.GetProperty("step").GetString());
        Assert.StartsWith($"runtime version v9.9.9 is neither in the registry nor on this machine ({Image}:v9.9.9)", status.GetProperty("error").GetString());
        Assert.False(_engine.Has("plc") || _engine.HasNetwork("plc_internal"));
    }

    [Fact]
    public async Task EngineThatTakesOneNetworkAtATime_AndRefusesTheSecond_IsLeftWithoutTheContainer()
    {
        Expect(7021);
        await StartAsync(change: options => options with { Lan = LanMode.Engine });
        _engine.Refusal = request => request == "POST networks/plc_internal/connect" ? "no more addresses" : null;
        await CreateAsync("plc", Vnic("lan", "static", "192.168.77.60/24"));
        var status = await FailedAsync("plc");
        Assert.Equal(("creating_container", "no more addresses"), (status.GetProperty("step").GetString(), status.GetProperty("error").GetString()));
        Assert.Contains("DELETE containers/plc", _engine.Done);
        Assert.False(_engine.Has("plc") || _engine.HasNetwork("plc_internal"));
        Assert.Empty(_agent.Get<AgentState>().Devices.Snapshot());
    }

    [Fact]
    public async Task EngineThatTakesAllNetworksAtOnce_GetsThemInTheCreation()
    {
        await StartAsync(change: options => options with { Lan = LanMode.Engine }, apiVersion: "1.47");
        await CreatedAsync(Vnic("lan", "static", "192.168.77.60/24"));
        Assert.DoesNotContain(_engine.Done, done => done.EndsWith("/connect", StringComparison.Ordinal));
        var vnic = Assert.Single(_agent.Get<AgentState>().Vnics.Find("plc")!);
        Assert.Equal("macvlan_eth0_192.168.77.0_24", vnic.NetworkName);
        Assert.Equal("192.168.77.60", _engine.Look("plc", c => (string?)c["NetworkSettings"]!["Networks"]![vnic.NetworkName!]!["IPAddress"]));
    }

    [Theory]
    [InlineData("endpoint with name agent already exists in network plc_internal", null)]
    [InlineData("no such network", "no such network")]
    public async Task AgentThatCannotJoinThePrivateNetwork_Warns_UnlessItIsInItAlready(string refusal, string? warning)
    {
        await StartAsync();
        _engine.Put("agent", isRunning: true, c => c["Config"]!["Labels"] = new JsonObject { ["edge.autonomy.role"] = "orchestrator-agent" });
        _engine.Refusal = request => request == "POST networks/plc_internal/connect" ? refusal : null;
        var status = await CreatedAsync();
        Assert.Contains("POST networks/plc_internal/connect", _engine.Done);
        if (warning is null) Assert.False(status.TryGetProperty("warnings", out _));
        else Assert.Contains(warning, status.GetProperty("warnings")[0].GetString());
    }

    [Fact]
    public async Task D10_MonitorThatFails_IsAWarning_AndTheDeviceRuns()
    {
        await StartAsync();
        _monitor.Answer = command => (string)command["vnic_name"]! == "bad" ? PlayedMonitor.Failure("no such device") : PlayedMonitor.Success();
        await CreateAsync("plc", Vnic("good", "dhcp"), Vnic("bad", "dhcp"));
        var status = await _agent.StatusAsync("plc", s => s.TryGetProperty("warnings", out _), TestTimeout);
        Assert.Equal(("success", true, false), (status.GetProperty("status").GetString(), status.GetProperty("is_running").GetBoolean(), status.GetProperty("lan_ready").GetBoolean()));
        Assert.Equal("vNIC bad: no such device", status.GetProperty("warnings")[0].GetString());
    }

    [Fact]
    public async Task SerialPorts_AreKept_AndAPortThatCannotBeMadeHarmsNothing()
    {
        await StartAsync();
        await _monitor.TellAsync("""{"type":"device_discovery","data":{"devices":[{"path":"/dev/ttyUSB0","by_id":"/dev/serial/by-id/usb-FTDI_1","major":188,"minor":0}],"timestamp":"t"}}""");
        await Eventually.TrueAsync(() => _agent.Get<HostNetwork>().SerialDevices.Count == 1, "the serial device", TestTimeout);
        _engine.ExitCode = command => command.StartsWith("mknod", StringComparison.Ordinal) ? 1 : 0;
        var answer = await CreateAsync("plc", message => message["serial_configs"] = new JsonArray(
            new JsonObject { ["name"] = "modbus", ["device_id"] = "usb-FTDI_1", ["container_path"] = "/dev/modbus0", ["baud_rate"] = 9600 }));
        Assert.Equal(1, answer.GetProperty("serial_configs_count").GetInt32());
        var status = await _agent.StatusAsync("plc", s => IsWhole(s) && s.GetProperty("serial_ports")[0].GetProperty("status").GetString() == "error", TestTimeout);
        Assert.False(status.GetProperty("serial_ports")[0].TryGetProperty("current_host_path", out _));
    }

    [Fact]
    public async Task InterfaceThatTwoWantForThemselvesAtOnce_IsGivenToOne()
    {
        Expect(7021);
        await StartAsync();
        // Both are planned before either is registered.
        var (asked, goOn) = (0, new ManualResetEventSlim());
        _engine.Refusal = request =>
        {
            if (request != "GET images/" + Image + ":latest/json") return null;
            if (Interlocked.Increment(ref asked) == 1) goOn.Wait(TestTimeout);
            return null;
        };
        await CreateAsync("first", message => message["dedicated_interface"] = "eth1");
        await Eventually.TrueAsync(() => Volatile.Read(ref asked) == 1, "the first to be planned", TestTimeout);
        await CreateAsync("second", message => message["dedicated_interface"] = "eth1");
        Assert.Equal("eth1 is dedicated to first already", (await FailedAsync("second")).GetProperty("error").GetString());
        goOn.Set();
        await _agent.StatusAsync("first", IsWhole, TestTimeout);
        Assert.Equal("first", _agent.Get<AgentState>().DedicatedTo()["eth1"]);
    }

    [Fact]
    public async Task FilesThatGiveOneInterfaceToTwo_KeepNothingFromWorking()
    {
        await StartAsync();
        foreach (var device in new[] { "one", "two" }) _agent.Get<AgentState>().DedicatedNics.Set(device, new DedicatedNicRecord("eth1"));
        var interfaces = (await _agent.AskAsync("get_host_interfaces", new JsonObject())).GetProperty("interfaces").EnumerateArray();
        Assert.Equal("one", interfaces.Single(nic => nic.GetProperty("name").GetString() == "eth1").GetProperty("dedicated_to").GetString());
        await CreatedAsync();
    }

    [Fact]
    public async Task FailureThatNobodyForesaw_EndsTheOperation()
    {
        Expect(7021);
        await StartAsync();
        _engine.PutNetwork("macvlan", network => network["Name"] = "twin");
        _engine.PutNetwork("macvlan2", network => network["Name"] = "twin");
        foreach (var name in new[] { "macvlan", "macvlan2" }) _engine.PutNetwork(name, network => (network["Name"], network["Driver"]) = ("twin", "macvlan"));
        await CreateAsync("plc");
        await FailedAsync("plc");
        Assert.Contains(Log.Entries, e => e.Event.Id == 7021 && e.Exception is not null);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static bool IsWhole(JsonElement status) => status.TryGetProperty("lan_ready", out var ready) && ready.GetBoolean();

    private static JsonObject Vnic(string name, string mode, string? ip = null) =>
        new() { ["name"] = name, ["parent_interface"] = "eth0", ["network_mode"] = mode, ["ip"] = ip };

    private async Task StartAsync(bool isHere = true, Func<AgentOptions, AgentOptions>? change = null, string apiVersion = "1.41")
    {
        _engine = new PlayedEngine { SocketPath = Path.Combine(_folder, "engine.sock"), ApiVersion = apiVersion, Images = isHere ? [Image + ":latest"] : [] };
        Own(await PlayedEngine.StartAsync(_engine));
        _monitor = Own(new PlayedMonitor(_folder));
        _agent = Own(await new AgentUnderTest(_folder, _engine.SocketPath, LoggerFactory, change).StartAsync(TestTimeout));
        await _agent.Get<HostNetwork>().Discovered.WaitAsync(TestTimeout);
    }

    private Task<JsonElement> CreateAsync(string name, params JsonObject[] vnics) => CreateAsync(name, message => message["vnic_configs"] = new JsonArray([.. vnics]));

    private Task<JsonElement> CreateAsync(string name, Action<JsonObject> change)
    {
        var message = new JsonObject { ["container_name"] = name, ["vnic_configs"] = new JsonArray() };
        change(message);
        return _agent.AskAsync("create_new_runtime", message);
    }

    private async Task<JsonElement> CreatedAsync(params JsonObject[] vnics)
    {
        await CreateAsync("plc", vnics);
        return await _agent.StatusAsync("plc", IsWhole, TestTimeout);
    }

    private Task<JsonElement> FailedAsync(string name) => _agent.StatusAsync(name, s => s.GetProperty("status").GetString() == "error", TestTimeout);
}
