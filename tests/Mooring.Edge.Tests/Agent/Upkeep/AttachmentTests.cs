using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Agent.Upkeep;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.Upkeep;

/// <summary>What devices need around them, leases, interfaces and serial ports, with a network monitor and an engine that are played.</summary>
public sealed class AttachmentTests : MooringTest
{
    private const string Converter = """{"path":"/dev/ttyUSB0","by_id":"/dev/serial/by-id/usb-FTDI_A1-if00","major":188,"minor":0}""";

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-attach-").FullName;
    private readonly TestClock _clock = new();
    private PlayedEngine _engine = null!;
    private PlayedMonitor _monitor = null!;
    private AgentUnderTest _agent = null!;

    [Fact]
    public async Task EachVnic_IsAskedForInItsOwnWay()
    {
        await StartAsync();
        _engine.Put("plc", isRunning: true, c => c["NetworkSettings"]!["Networks"]!["macvlan_eth0_old"] = new JsonObject { ["MacAddress"] = "02:00:00:00:00:99" });
        Put("plc",
            new VnicRecord { Name = "leased", ParentInterface = "eth0", NetworkMode = "dhcp", MacAddress = "02:00:00:00:00:01" },
            new VnicRecord { Name = "fixed", ParentInterface = "eth0", NetworkMode = "static", Ip = "192.168.77.60/24", Gateway = "192.168.77.1", MacAddress = "02:00:00:00:00:02" },
            new VnicRecord { Name = "plain", ParentInterface = "eth0", NetworkMode = "none", MacAddress = "02:00:00:00:00:03" },
            new VnicRecord { Name = "air", ParentInterface = "wlan0", NetworkMode = "dhcp", IsWifi = true },
            new VnicRecord { Name = "air-fixed", ParentInterface = "wlan0", NetworkMode = "static", Ip = "10.0.0.9", IsWifi = true },
            new VnicRecord { Name = "engines", ParentInterface = "eth0", NetworkMode = "dhcp", NetworkName = "macvlan_eth0_old", MacAddress = "02:00:00:00:00:04" },
            new VnicRecord { Name = "engines-fixed", ParentInterface = "eth0", NetworkMode = "static", NetworkName = "macvlan_eth0_old", Ip = "192.168.77.61" });
        await AttachedAsync("plc");
        var pid = _engine.Look("plc", c => (int)c["State"]!["Pid"]!);
        Assert.All(_monitor.Commands, command => Assert.Equal(("plc", pid), ((string)command["container_name"]!, (int)command["container_pid"]!)));
        Assert.Equal(
            [
                ("leased", "attach_vnic", "dhcp", "02:00:00:00:00:01", null, null), ("fixed", "attach_vnic", "static", "02:00:00:00:00:02", "192.168.77.60", "24"),
                ("plain", "attach_vnic", "none", "02:00:00:00:00:03", null, null), ("air", "request_wifi_dhcp", "dhcp", null, null, null),
                // By the address that the engine gave it, whatever was wanted.
                ("air-fixed", "setup_proxy_arp_bridge", "static", null, "10.0.0.9", "24"), ("engines", "start_dhcp", "dhcp", "02:00:00:00:00:99", null, null),
            ],
            _monitor.Commands.Select(command => ((string)command["vnic_name"]!, (string)command["command"]!, (string)command["network_mode"]!,
                (string?)command["mac_address"], (string?)command["ip_address"], (string?)command["subnet_mask"])));
        Assert.Equal("plc:air", (string)_monitor.Commands.Single(command => (string)command["vnic_name"]! == "air")["client_id"]!);
    }

    [Fact]
    public async Task MonitorThatComesBack_IsAskedForEveryRunningDeviceAnew_AndForNoOther()
    {
        await StartAsync();
        foreach (var (name, isRunning) in new[] { ("runs", true), ("stopped", false) }) _engine.Put(name, isRunning);
        _agent.Get<AgentState>().Devices.Set("stopped", new DeviceRecord { Name = "stopped", IsStopped = true });
        foreach (var name in new[] { "stopped", "gone", "runs" }) Put(name, Leased());
        await AttachedAsync("runs");
        _monitor.Commands.Clear();
        _monitor.Drop();
        await Eventually.TrueAsync(() =>
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            return _monitor.Commands.Any(command => (string)command["container_name"]! == "runs");
        }, "the monitor is asked again", TestTimeout);
        await AttachedAsync("runs");
        Assert.All(_monitor.Commands, command => Assert.Equal("runs", (string)command["container_name"]!));
    }

    [Fact]
    public async Task Lease_IsTakenFromTheAnswer_AndFromEvents_AndForgottenWhenItIsLost_IncompleteOnesAreIgnored()
    {
        await StartAsync();
        _engine.Put("plc", isRunning: true);
        _monitor.Answer = _ => new JsonObject { ["success"] = true, ["lease"] = new JsonObject { ["ip"] = "192.168.77.101", ["gateway"] = "192.168.77.1", ["dns"] = "1.1.1.1 8.8.8.8" } };
        Put("plc", Leased());
        await AttachedAsync("plc");
        Assert.Equal(("192.168.77.101", "192.168.77.1", "1.1.1.1 8.8.8.8"), LeaseOf());
        foreach (var incomplete in new[] { """{"vnic_name":"lan","ip":"192.168.77.9"}""", """{"container_name":"plc","ip":"192.168.77.9"}""", """{"container_name":"plc","vnic_name":"lan"}""", """{"container_name":"plc","vnic_name":"other","ip":"192.168.77.9"}""" })
            await TellAsync("dhcp_update", incomplete);
        await TellAsync("dhcp_update", """{"container_name":"plc","vnic_name":"lan","ip":"192.168.77.102","gateway":"192.168.77.2","dns":"9.9.9.9"}""");
        await Eventually.TrueAsync(() => LeaseOf() == ("192.168.77.102", "192.168.77.2", "9.9.9.9"), "the new lease", TestTimeout);
        var status = await _agent.AskDeviceAsync("get_device_status", "plc");
        Assert.True(status.GetProperty("lan_ready").GetBoolean());
        await TellAsync("dhcp_update", """{"container_name":"plc","vnic_name":"lan","event":"expired"}""");
        await Eventually.TrueAsync(() => LeaseOf() == (null, null, null), "the end of the lease", TestTimeout);
        Assert.False((await _agent.AskDeviceAsync("get_device_status", "plc")).GetProperty("lan_ready").GetBoolean());
    }

    [Fact]
    public async Task VnicThatFails_IsTriedAgainAfterLongerAndLongerWaits_UntilItSucceeds()
    {
        await StartAsync();
        _engine.Put("plc", isRunning: true);
        _monitor.Answer = _ => PlayedMonitor.Failure("no carrier");
        Put("plc", Leased() with { DhcpIp = "192.168.77.7" });
        for (var tries = 1; tries <= 5; tries++)
        {
            // 1 s, doubled, with a third of it by chance; what is due in a minute is the look at everything.
            await Eventually.TrueAsync(() => _monitor.Commands.Count == tries && _clock.Waits is [var only] && only > TimeSpan.Zero && only < DeviceUpkeep.PollPeriod, $"try {tries}", TestTimeout);
            Assert.InRange(_clock.AdvanceToNextTimer().TotalSeconds, 0.69 * Math.Pow(2, tries - 1), 1.31 * Math.Pow(2, tries - 1));
        }
        // A lease of before is no lease while nobody knows whether it is good.
        _monitor.Answer = _ => PlayedMonitor.Success();
        await Eventually.TrueAsync(() =>
        {
            _clock.Advance(TimeSpan.FromSeconds(10));
            return _agent.Get<DeviceUpkeep>().IsAttached("plc", _engine.Look("plc", c => (int)c["State"]!["Pid"]!));
        }, "it succeeds", TestTimeout);
        Assert.Equal((null, null, null), LeaseOf());
        Assert.False((await _agent.AskDeviceAsync("get_device_status", "plc")).TryGetProperty("warnings", out _));
    }

    [Theory]
    [InlineData("eth0", "192.168.88.0/24", true)]
    [InlineData("eth0", "192.168.77.0/24", false)]
    [InlineData("eth1", "192.168.88.0/24", false)]
    public async Task NetworkThatChanges_HasAddressesAskedForAnew_ThreeSecondsAfterItsLastChange_OnItsOwnInterfaceOnly(string nic, string subnet, bool isRenewed)
    {
        await StartAsync();
        _engine.Put("plc", isRunning: true);
        Put("plc", Leased());
        await AttachedAsync("plc");
        _monitor.Commands.Clear();
        var raised = new SemaphoreSlim(0);
        _agent.Get<HostNetwork>().InterfaceChanged += _ => raised.Release();
        await ChangeAsync("wlan0", "10.5.0.0/16");
        await raised.WaitAsync(TestTimeout);
        await ChangeAsync(nic, subnet);
        await ChangeAsync("wlan0", "10.6.0.0/16");
        await raised.WaitAsync(TestTimeout);
        if (isRenewed)
        {
            await _clock.WhenTimerDueInAsync(UpkeepTriggers.NetworkQuiet, TestTimeout);
            _clock.Advance(TimeSpan.FromSeconds(2));
            // A newer change puts it off.
            await ChangeAsync(nic, "192.168.99.0/24");
            await _clock.WhenTimerDueInAsync(UpkeepTriggers.NetworkQuiet, TestTimeout);
            Assert.Empty(_monitor.Commands);
            _clock.Advance(UpkeepTriggers.NetworkQuiet);
            await AttachedAsync("plc");
            Assert.Equal(["attach_vnic", "renew_dhcp"], _monitor.Named("vnic_name", "lan"));
        }
        else
        {
            _clock.Advance(UpkeepTriggers.NetworkQuiet);
            await _agent.AskDeviceAsync("get_device_status", "plc");
            Assert.Empty(_monitor.Commands);
        }
    }

    [Fact]
    public async Task DedicatedInterface_ThatIsInTheDevice_StaysThere_OneThatIsNot_IsMoved_AndAFailureWarns()
    {
        await StartAsync();
        var present = true;
        var moved = PlayedMonitor.Success();
        _monitor.Answer = command => (string)command["command"]! == "check_nic_in_container"
            ? new JsonObject { ["success"] = true, ["present"] = present } : (JsonObject)moved.DeepClone();
        _engine.Put("plc", isRunning: true);
        _agent.Get<AgentState>().DedicatedNics.Set("plc", new DedicatedNicRecord("eth1"));
        Put("plc");
        await AttachedAsync("plc");
        Assert.Equal(["check_nic_in_container"], _monitor.Named("host_interface", "eth1"));

        // The container was started anew: the kernel gave the interface back to the host.
        (present, moved) = (false, PlayedMonitor.Failure("eth1 is busy"));
        _monitor.Commands.Clear();
        _engine.Put("plc", isRunning: true);
        _engine.Tell("start", "plc");
        var status = await _agent.StatusAsync("plc", s => s.TryGetProperty("warnings", out _), TestTimeout);
        Assert.Equal("dedicated interface eth1: eth1 is busy", status.GetProperty("warnings")[0].GetString());
        Assert.Equal(["check_nic_in_container", "move_nic_to_container"], _monitor.Named("host_interface", "eth1").Take(2));
        moved = PlayedMonitor.Success();
        await Eventually.TrueAsync(() =>
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            return _agent.Get<DeviceUpkeep>().IsAttached("plc", _engine.Look("plc", c => (int)c["State"]!["Pid"]!));
        }, "it is moved", TestTimeout);
        Assert.False((await _agent.AskDeviceAsync("get_device_status", "plc")).TryGetProperty("warnings", out _));
    }

    [Fact]
    public async Task SerialConverter_ThatComes_IsMadeInItsDevicesOnly_AndThatGoes_IsMarked()
    {
        await StartAsync();
        foreach (var (device, id) in new[] { ("plc", "usb-FTDI_A1"), ("other", "usb-Prolific") })
        {
            _engine.Put(device, isRunning: true);
            _agent.Get<AgentState>().SerialPorts.Set(device, new SerialRecord { Ports = [new SerialPortRecord { Name = "m", DeviceId = id, ContainerPath = "/dev/m" }] });
            Put(device);
            await AttachedAsync(device);
        }
        await TellAsync("device_change", $$"""{"action":"add","device":{{Converter}}}""");
        await Eventually.TrueAsync(() => PortOf("plc").Status == "connected", "the converter", TestTimeout);
        Assert.Equal(("/dev/ttyUSB0", 188, 0), (PortOf("plc").CurrentHostPath, PortOf("plc").Major, PortOf("plc").Minor));
        Assert.Equal(["EXEC rm -f /dev/m", "EXEC mknod /dev/m c 188 0", "EXEC chmod 666 /dev/m"], _engine.Asked.Where(asked => asked.StartsWith("EXEC", StringComparison.Ordinal)));
        Assert.Equal("disconnected", PortOf("other").Status);
        await TellAsync("device_change", $$"""{"action":"remove","device":{{Converter}}}""");
        await Eventually.TrueAsync(() => PortOf("plc") is { Status: "disconnected", CurrentHostPath: null }, "its end", TestTimeout);
    }

    [Theory]
    [InlineData("rm", 1, "connected")]
    [InlineData("mknod", 1, "error")]
    [InlineData("chmod", 1, "connected")]
    public async Task ProgramThatFailsInTheContainer_IsAnErrorOnlyWhereTheNodeIsMissing(string program, int exitCode, string status)
    {
        await StartAsync();
        _engine.ExitCode = command => command.StartsWith(program, StringComparison.Ordinal) ? exitCode : 0;
        _engine.Put("plc", isRunning: true);
        _agent.Get<AgentState>().SerialPorts.Set("plc", new SerialRecord { Ports = [new SerialPortRecord { Name = "m", DeviceId = "usb-FTDI_A1", ContainerPath = "/dev/m" }] });
        Put("plc");
        await TellAsync("device_discovery", $$"""{"devices":[{{Converter}}]}""");
        await Eventually.TrueAsync(() => PortOf("plc").Status == status, status, TestTimeout);
    }

    [Fact]
    public async Task SerialDiscovery_ForgetsWhatIsGone_AndToleratesContainersThatAreStoppedOrMissing()
    {
        await StartAsync();
        _engine.Refusal = request => request == "POST containers/stopped/exec" ? "container is not running" : null;
        _engine.Put("stopped", isRunning: false);
        foreach (var device in new[] { "stopped", "missing" })
        {
            _agent.Get<AgentState>().SerialPorts.Set(device, new SerialRecord { Ports = [new SerialPortRecord { Name = "m", DeviceId = "usb-FTDI_A1", ContainerPath = "/dev/m" }] });
            _agent.Get<AgentState>().Devices.Set(device, new DeviceRecord { Name = device, IsStopped = true });
        }
        await TellAsync("device_discovery", $$"""{"devices":[{{Converter}}]}""");
        await Eventually.TrueAsync(() => PortOf("stopped").Status == "error" && PortOf("missing").Status == "error", "both are told", TestTimeout);
        Assert.Single(_agent.Get<HostNetwork>().SerialDevices);
        await TellAsync("device_discovery", """{"devices":[]}""");
        await Eventually.TrueAsync(() => PortOf("stopped").Status == "disconnected" && PortOf("missing").Status == "disconnected", "both are told", TestTimeout);
        Assert.Empty(_agent.Get<HostNetwork>().SerialDevices);
    }

    [Theory]
    [InlineData("usb-FTDI_A1", "/dev/serial/by-id/usb-FTDI_A1-if00", "/dev/ttyUSB0", true)]
    [InlineData("/dev/serial/by-id/usb-FTDI_A1-if00-port0", "/dev/serial/by-id/usb-FTDI_A1-if00", "/dev/ttyUSB0", true)]
    [InlineData("/dev/ttyS0", null, "/dev/ttyS0", true)]
    [InlineData("usb-FTDI_B2", "/dev/serial/by-id/usb-FTDI_A1-if00", "/dev/ttyUSB0", false)]
    [InlineData("", "/dev/serial/by-id/usb-FTDI_A1-if00", "/dev/ttyUSB0", false)]
    [InlineData("usb-FTDI_A1", "", "/dev/ttyUSB0", false)]
    [InlineData("usb-FTDI_A1", null, null, false)]
    public void Converter_IsMeant_WhenOneNameIsPartOfTheOther_AndNeitherIsEmpty(string configured, string? byId, string? path, bool isMeant) =>
        Assert.Equal(isMeant, SerialPorts.IsMeant(
            new SerialPortRecord { Name = "m", DeviceId = configured, ContainerPath = "/dev/m" }, new Mooring.Edge.Protocol.Monitor.SerialDevice { ById = byId, Path = path }));

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static VnicRecord Leased() => new() { Name = "lan", ParentInterface = "eth0", NetworkMode = "dhcp", MacAddress = "02:00:00:00:00:01" };

    private SerialPortRecord PortOf(string device) => _agent.Get<AgentState>().SerialPorts.Find(device)!.Ports[0];

    private (string? Ip, string? Gateway, string? Dns) LeaseOf() =>
        _agent.Get<AgentState>().Vnics.Find("plc")![0] is var vnic ? (vnic.DhcpIp, vnic.DhcpGateway, vnic.DhcpDns) : default;

    private async Task StartAsync()
    {
        _engine = Own(await PlayedEngine.StartAsync(new PlayedEngine { SocketPath = Path.Combine(_folder, "engine.sock") }));
        _monitor = Own(new PlayedMonitor(_folder));
        _agent = Own(new AgentUnderTest(_folder, _engine.SocketPath, LoggerFactory, time: _clock));
        _agent.Get<UpkeepTriggers>();
        var connected = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _agent.Get<NetworkMonitorClient>().Connected += () => connected.TrySetResult();
        await _agent.StartAsync(TestTimeout);
        await connected.Task.WaitAsync(TestTimeout);
        await Eventually.TrueAsync(() => _engine.Streams == 1, "the engine's events are followed", TestTimeout);
        await _agent.Get<HostNetwork>().Discovered.WaitAsync(TestTimeout);
    }

    private void Put(string device, params VnicRecord[] vnics)
    {
        if (vnics.Length > 0) _agent.Get<AgentState>().Vnics.Set(device, vnics);
        _agent.Get<AgentState>().Devices.Set(device, _agent.Get<AgentState>().Devices.Find(device) ?? new DeviceRecord { Name = device });
        _agent.Get<DeviceUpkeep>().Ask(device, TimeSpan.Zero);
    }

    private Task AttachedAsync(string device) => Eventually.TrueAsync(
        () => _engine.Look(device, c => (int)c["State"]!["Pid"]!) is > 0 and var pid && _agent.Get<DeviceUpkeep>().IsAttached(device, pid), $"{device} is attached", TestTimeout);

    private Task TellAsync(string type, string data) => _monitor.TellAsync($$"""{"type":"{{type}}","data":{{data}}}""");

    private Task ChangeAsync(string nic, string subnet) => TellAsync("network_change", $$"""
        {"interface":"{{nic}}","type":"{{(nic == "wlan0" ? "wifi" : "ethernet")}}","ipv4_addresses":[{"address":"x","prefixlen":24,"subnet":"{{subnet}}","network_address":"x"}]}
        """);
}
