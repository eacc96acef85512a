using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Protocol.Monitor;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.Devices;

/// <summary>Devices on the plant's network: a real engine, the real network monitor on the edge host, a real DHCP server.</summary>
[Trait("Peer", "real")]
public sealed class LanTests(PlantFloor plant) : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-agent-").FullName;

    [Fact]
    public async Task D5_D12_D13_DhcpDevice_HasItsMacAndALease_AnswersOnTheLan_AndKeepsBothOverACrash()
    {
        var (_, agent) = await StartAsync();
        var (name, mac) = (NewName(), NewMac());
        await CreateAsync(agent, name, Vnic("lan1", mac, "dhcp"));
        var address = await AddressAsync(agent, name);
        Assert.StartsWith("192.168.77.", address);
        Assert.InRange(int.Parse(address.Split('.')[3]), 100, 200);
        Assert.Equal(mac, (await MacSeenOnTheLanAsync(address)));

        using var engine = new EngineClient(new EngineClientOptions { SocketPath = plant.SocketPath }, TimeProvider.System);
        Process.GetProcessById((await engine.InspectContainerAsync(name, TestTimeout))!.State.Pid).Kill();
        await agent.StatusAsync(name, s => IsOnLan(s) && s.GetProperty("restart_count").GetInt32() == 1, TestTimeout);
        Assert.Equal(address, await AddressAsync(agent, name));
        Assert.Equal(mac, await MacSeenOnTheLanAsync(address));
        await DeleteAsync(agent, name);
    }

    [Fact]
    public async Task D4_D6_DhcpDevice_KeepsItsAddressOverAKilledMonitor_AndGivesItBackWhenItIsRemoved()
    {
        var (monitor, agent) = await StartAsync();
        var (name, mac) = (NewName(), NewMac());
        await CreateAsync(agent, name, Vnic("lan1", mac, "dhcp"));
        var address = await AddressAsync(agent, name);
        monitor.Kill();
        await monitor.ExitAsync(TestTimeout);
        await using var again = StartMonitor();
        await again.LineAsync("listens at", TestTimeout);
        Assert.Equal(mac, await MacSeenOnTheLanAsync(address));
        await agent.StatusAsync(name, _ => agent.Get<INetworkMonitor>().IsConnected, TestTimeout);
        await agent.StatusAsync(name, IsOnLan, TestTimeout);
        Assert.Equal(address, await AddressAsync(agent, name));

        await DeleteAsync(agent, name);
        var status = await agent.Get<INetworkMonitor>().SendAsync(new MonitorCommand { Command = MonitorCommand.GetDhcpStatus }, TestTimeout);
        Assert.Equal("{}", status.Status!.Value.GetRawText());
        Assert.DoesNotContain(Directory.GetFiles(Path.Combine(_folder, "dhcp")), file => file.EndsWith(".lease"));
        // The server has it back.
        await Eventually.TrueAsync(() => !File.ReadAllText(plant.LeasesPath).Contains(mac, StringComparison.Ordinal), "the end of the lease at the server", TestTimeout);
        Assert.NotEqual(0, (await plant.RunAsync(TestTimeout, onHost: false, "ping", "-c", "1", "-W", "1", address)).ExitCode);
    }

    [Fact]
    public async Task StaticDevice_WithTwoInterfacesOnOneParent_AnswersOnBothAddresses()
    {
        var (_, agent) = await StartAsync();
        var name = NewName();
        var (one, two) = (NewMac(), NewMac());
        await CreateAsync(agent, name,
            Vnic("lan1", one, "static", "192.168.77.60"), Vnic("a name that Linux does not allow", two, "static", "192.168.77.61/24"));
        await agent.StatusAsync(name, IsOnLan, TestTimeout);
        Assert.Equal(one, await MacSeenOnTheLanAsync("192.168.77.60"));
        Assert.Contains(await MacSeenOnTheLanAsync("192.168.77.61"), new[] { one, two });
        await DeleteAsync(agent, name);
    }

    [Fact]
    public async Task D10_D48_StaticAddress_ThatAnotherStationHas_IsNotTaken_UntilItIsFree()
    {
        var (_, agent) = await StartAsync();
        var (name, mac) = (NewName(), NewMac());
        await plant.RunAsync(TestTimeout, onHost: false, "ip", "addr", "add", "192.168.77.70/24", "dev", "br-lan");
        await CreateAsync(agent, name, Vnic("up", mac, "static", "192.168.77.70"));
        var status = await agent.StatusAsync(name, s => s.TryGetProperty("warnings", out _), TestTimeout);
        Assert.Contains("192.168.77.70 is in use on the network, by ", status.GetProperty("warnings")[0].GetString());
        Assert.False(status.GetProperty("lan_ready").GetBoolean());
        await plant.RunAsync(TestTimeout, onHost: false, "ip", "addr", "del", "192.168.77.70/24", "dev", "br-lan");
        await agent.StatusAsync(name, IsOnLan, TestTimeout);
        Assert.Equal(mac, await MacSeenOnTheLanAsync("192.168.77.70"));
        await DeleteAsync(agent, name);
    }

    [Fact]
    public async Task D40_Update_OfInterfaces_IsDoneWhileTheDeviceRuns()
    {
        var (_, agent) = await StartAsync();
        var (name, mac) = (NewName(), NewMac());
        await CreateAsync(agent, name, Vnic("lan1", mac, "static", "192.168.77.64"));
        await agent.StatusAsync(name, IsOnLan, TestTimeout);
        await agent.AskAsync("update_device", new JsonObject
        {
            ["device_id"] = name, ["vnic_configs"] = new JsonArray(Vnic("lan1", mac, "static", "192.168.77.65"), Vnic("lan2", NewMac(), "dhcp")),
        });
        await agent.StatusAsync(name, s => IsOnLan(s) && s.GetProperty("networks").EnumerateObject().Count() == 2, TestTimeout);
        Assert.Equal(mac, await MacSeenOnTheLanAsync("192.168.77.65"));
        Assert.NotEqual(0, (await plant.RunAsync(TestTimeout, onHost: false, "ping", "-c", "1", "-W", "1", "192.168.77.64")).ExitCode);
        await agent.AskAsync("update_device", new JsonObject { ["device_id"] = name, ["vnic_configs"] = new JsonArray() });
        await agent.StatusAsync(name, s => IsOnLan(s) && !s.GetProperty("networks").EnumerateObject().Any(), TestTimeout);
        Assert.NotEqual(0, (await plant.RunAsync(TestTimeout, onHost: false, "ping", "-c", "1", "-W", "1", "192.168.77.65")).ExitCode);
        await DeleteAsync(agent, name);
    }

    [Fact]
    public async Task DedicatedNic_IsInTheDevice_AndComesBackWhenItIsRemoved()
    {
        var (_, agent) = await StartAsync();
        var name = NewName();
        // It has no address, and so can be nothing but dedicated.
        var interfaces = (await agent.AskAsync("get_host_interfaces", new JsonObject())).GetProperty("interfaces").EnumerateArray().ToList();
        Assert.True(interfaces.Single(i => i.GetProperty("name").GetString() == "ens38").GetProperty("dedicated_only").GetBoolean());
        var lan = interfaces.Single(i => i.GetProperty("name").GetString() == "ens37");
        Assert.Equal(("192.168.77.10", "192.168.77.0/24", "192.168.77.1"),
            (lan.GetProperty("ip_address").GetString(), lan.GetProperty("subnet").GetString(), lan.GetProperty("gateway").GetString()));

        await agent.AskAsync("create_new_runtime", new JsonObject
        {
            ["container_name"] = name, ["vnic_configs"] = new JsonArray(), ["dedicated_interface"] = "ens38",
        });
        await agent.StatusAsync(name, IsOnLan, TestTimeout);
        using var engine = new EngineClient(new EngineClientOptions { SocketPath = plant.SocketPath }, TimeProvider.System);
        var inside = await engine.ExecAsync(name, ["ip", "link", "show", "ens38"], "root", TestTimeout);
        Assert.Equal(0, inside.ExitCode);
        Assert.NotEqual(0, (await plant.RunAsync(TestTimeout, onHost: true, "ip", "link", "show", "ens38")).ExitCode);

        await DeleteAsync(agent, name);
        Assert.Equal(0, (await plant.RunAsync(TestTimeout, onHost: true, "ip", "link", "show", "ens38")).ExitCode);
    }

    [Fact]
    public async Task SerialConverter_ComesAndGoes_TheDeviceHasItsNode()
    {
        var serial = Directory.CreateDirectory(Path.Combine(_folder, "by-id")).FullName;
        var (_, agent) = await StartAsync(serial);
        var name = NewName();
        await agent.AskAsync("create_new_runtime", new JsonObject
        {
            ["container_name"] = name,
            ["vnic_configs"] = new JsonArray(),
            ["serial_configs"] = new JsonArray(new JsonObject { ["name"] = "modbus", ["device_id"] = "usb-Test_Converter", ["container_path"] = "/dev/modbus0" }),
        });
        await agent.StatusAsync(name, s => IsOnLan(s) && PortIs(s, "disconnected"), TestTimeout);
        // Any character device does: what is plugged in is a link to one.
        File.CreateSymbolicLink(Path.Combine(serial, "usb-Test_Converter-if00"), "/dev/zero");
        await agent.StatusAsync(name, s => PortIs(s, "connected"), TestTimeout);
        using var engine = new EngineClient(new EngineClientOptions { SocketPath = plant.SocketPath }, TimeProvider.System);
        var node = await engine.ExecAsync(name, ["stat", "-c", "%F %t %T %a", "/dev/modbus0"], "root", TestTimeout);
        Assert.Equal("character special file 1 5 666", node.Output.Trim());
        File.Delete(Path.Combine(serial, "usb-Test_Converter-if00"));
        await agent.StatusAsync(name, s => PortIs(s, "disconnected"), TestTimeout);
        await DeleteAsync(agent, name);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<(ProcessUnderTest Monitor, AgentUnderTest Agent)> StartAsync(string? serialFolder = null)
    {
        await plant.UpAsync(TestTimeout);
        var monitor = Own(StartMonitor(serialFolder));
        await monitor.LineAsync("listens at", TestTimeout);
        var agent = Own(await new AgentUnderTest(_folder, plant.SocketPath, LoggerFactory).StartAsync(TestTimeout));
        await agent.Get<HostNetwork>().Discovered.WaitAsync(TestTimeout);
        return (monitor, agent);
    }

    private ProcessUnderTest StartMonitor(string? serialFolder = null) =>
        plant.StartOnHost("netmon", "--data-dir", _folder, "--serial-dir", serialFolder ?? Path.Combine(_folder, "none"));

    private static string NewName() => "plc-" + Guid.NewGuid().ToString("N")[..8];

    private static string NewMac() => Mooring.Edge.Agent.Devices.MacAddress.Generate();

    private static JsonObject Vnic(string name, string mac, string mode, string? ip = null) => new()
    {
        ["name"] = name, ["parent_interface"] = "ens37", ["network_mode"] = mode, ["mac"] = mac, ["ip"] = ip,
        ["subnet"] = ip is null ? null : "255.255.255.0", ["gateway"] = ip is null ? null : "192.168.77.1",
    };

    private static Task<JsonElement> CreateAsync(AgentUnderTest agent, string name, params JsonObject[] vnics) =>
        agent.AskAsync("create_new_runtime", new JsonObject { ["container_name"] = name, ["vnic_configs"] = new JsonArray([.. vnics]) });

    private async Task DeleteAsync(AgentUnderTest agent, string name)
    {
        await agent.AskDeviceAsync("delete_device", name);
        await agent.StatusAsync(name, s => s.GetProperty("status").GetString() == "not_found", TestTimeout);
    }

    private async Task<string> AddressAsync(AgentUnderTest agent, string name)
    {
        var status = await agent.StatusAsync(name, s => IsOnLan(s) && AddressOf(s).Length > 0, TestTimeout);
        return AddressOf(status);
    }

    private static string AddressOf(JsonElement status) =>
        status.GetProperty("networks").EnumerateObject().First().Value.GetProperty("ip_address").GetString()!;

    private static bool IsOnLan(JsonElement status) => status.TryGetProperty("lan_ready", out var ready) && ready.GetBoolean();

    private static bool PortIs(JsonElement status, string word) =>
        status.TryGetProperty("serial_ports", out var ports) && ports[0].GetProperty("status").GetString() == word;

    private async Task<string> MacSeenOnTheLanAsync(string address)
    {
        await plant.RunAsync(TestTimeout, onHost: false, "ip", "neigh", "flush", "dev", "br-lan");
        var ping = await plant.RunAsync(TestTimeout, onHost: false, "ping", "-c", "1", "-W", "5", address);
        Assert.True(ping.ExitCode == 0, ping.Output);
        var neighbour = await plant.RunAsync(TestTimeout, onHost: false, "ip", "neigh", "show", address);
        return neighbour.Output.Split(' ').SkipWhile(word => word != "lladdr").ElementAt(1);
    }
}
