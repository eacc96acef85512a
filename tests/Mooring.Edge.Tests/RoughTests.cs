using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mooring.Edge.Agent;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.NetMon.Vnics;
using Mooring.Edge.Protocol.Monitor;
using Mooring.Edge.Tests.Agent;
using Mooring.Testing;

namespace Mooring.Edge.Tests;

/// <summary>What goes wrong at plants: cables, DHCP servers, engines, disks, names. On a plant of its own, one test after the other.</summary>
[Trait("Peer", "real")]
[Collection(nameof(RoughPlantFloor))]
public sealed class RoughTests(RoughPlantFloor plant) : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-rough-").FullName;
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(120));

    [Fact]
    public async Task D21_PulledCable_AndAnotherDhcpServer_TheDeviceIsBackOnTheLan()
    {
        var (_, agent) = await StartAsync();
        var (name, mac) = (NewName(), NewMac());
        await CreateAsync(agent, name, Vnic("lan1", "ens37", mac, "dhcp"));
        var address = AddressOf(await agent.StatusAsync(name, IsOnLan, _limit.Token));
        await HostAsync("ip link set ens37 down");
        await Until(async () => !Has(await agent.AskAsync("get_host_interfaces", new JsonObject()), "ens37"));
        await HostAsync("ip link set ens37 up; ip route replace default via 192.168.77.1");
        await Until(async () => Has(await agent.AskAsync("get_host_interfaces", new JsonObject()), "ens37"));
        await agent.StatusAsync(name, s => IsOnLan(s) && AddressOf(s) == address, _limit.Token);
        Assert.Equal(mac, await MacSeenAsync(address));

        // The server is gone: the lease goes on. Another one comes, with another range, and says no to it.
        await plant.StopAsync("dnsmasq", _limit.Token);
        Assert.Equal(mac, await MacSeenAsync(address));
        await LanAsync($"rm -f {plant.LeasesPath}");
        await plant.StartAsync(_limit.Token, range: "210-220");
        await HostAsync("ip link set ens37 down; ip link set ens37 up; ip route replace default via 192.168.77.1");
        var status = await agent.StatusAsync(name, s => IsOnLan(s) && int.Parse(AddressOf(s).Split('.')[3]) >= 210, _limit.Token);
        Assert.Equal(mac, await MacSeenAsync(AddressOf(status)));
        await DeleteAsync(agent, name);
        await plant.StopAsync("dnsmasq", _limit.Token);
        await plant.StartAsync(_limit.Token);
    }

    [Fact]
    public async Task TwoCreatesAtOnce_WithOneMac_OneIsRefused_AndCreateAndDeleteAtOnce_TheSecondIsRefused()
    {
        Expect(7021);
        var (_, agent) = await StartAsync();
        var (one, two, mac) = (NewName(), NewName(), NewMac());
        await Task.WhenAll(CreateAsync(agent, one, Vnic("a", "ens37", mac, "dhcp")), CreateAsync(agent, two, Vnic("a", "ens37", mac, "dhcp")));
        Assert.Equal("operation_in_progress", (await agent.AskDeviceAsync("delete_device", one)).GetProperty("error_code").GetString());
        var states = new[] { await agent.StatusAsync(one, HasEnded, _limit.Token), await agent.StatusAsync(two, HasEnded, _limit.Token) };
        Assert.Single(states, s => s.GetProperty("status").GetString() == "success");
        Assert.Contains($"{mac} is already in use on ens37", states.Single(s => s.GetProperty("status").GetString() == "error").GetProperty("error").GetString());
        var made = states[0].GetProperty("status").GetString() == "success" ? one : two;
        var deletions = await Task.WhenAll(agent.AskDeviceAsync("delete_device", made), agent.AskDeviceAsync("delete_device", made));
        Assert.Single(deletions, d => d.GetProperty("status").GetString() == "deleting");
        await agent.StatusAsync(made, s => s.GetProperty("status").GetString() == "not_found", _limit.Token);
        await NothingIsLeftAsync(one, two);
    }

    [Fact]
    public async Task FullDisk_CreateIsRefused_AndNothingIsLeft()
    {
        Expect(7021, 7070);
        await plant.UpAsync(_limit.Token);
        var disk = Directory.CreateDirectory(Path.Combine(_folder, "disk")).FullName;
        Run("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk);
        try
        {
            await using var agent = await new AgentUnderTest(disk, plant.SocketPath, LoggerFactory).StartAsync(_limit.Token);
            var name = NewName();
            using (var filler = File.Create(Path.Combine(disk, "filler"))) Assert.Throws<IOException>(() => Fill(filler));
            var refused = await CreateAsync(agent, name);
            Assert.Equal("storage_error", refused.GetProperty("error_code").GetString());
            Assert.Contains("the agent's files cannot be written", refused.GetProperty("error").GetString());
            await NothingIsLeftAsync(name);
            File.Delete(Path.Combine(disk, "filler"));
            await CreateAsync(agent, name);
            await agent.StatusAsync(name, IsOnLan, _limit.Token);
            await DeleteAsync(agent, name);
        }
        finally
        {
            Run("umount", "-l", disk);
        }
    }

    [Fact]
    public async Task D43_EngineThatHangs_DoesNotHoldUpWhatNeedsNoEngine_AndGoesOnAfterwards()
    {
        var (_, agent) = await StartAsync();
        var name = NewName();
        await CreateAsync(agent, name);
        await agent.StatusAsync(name, IsOnLan, _limit.Token);
        var engine = plant.PidOf("dockerd").ToString();
        Run("kill", "-STOP", engine);
        try
        {
            var waiting = agent.AskDeviceAsync("get_device_status", name);
            Assert.True(Has(await agent.AskAsync("get_host_interfaces", new JsonObject()), "ens37"));
            Assert.False(waiting.IsCompleted);
            Run("kill", "-CONT", engine);
            Assert.True(IsOnLan(await waiting));
        }
        finally
        {
            Run("kill", "-CONT", engine);
        }
        await DeleteAsync(agent, name);
    }

    [Fact]
    public async Task EngineThatIsAbsent_IsSaid_AndOneThatComesIsUsed()
    {
        Expect(7021);
        var socket = Path.Combine(_folder, "later.sock");
        await plant.UpAsync(_limit.Token);
        await using var agent = await new AgentUnderTest(_folder, socket, LoggerFactory).StartAsync(_limit.Token);
        var name = NewName();
        await CreateAsync(agent, name);
        var status = await agent.StatusAsync(name, HasEnded, _limit.Token);
        Assert.Contains($"no container engine answers at {socket}", status.GetProperty("error").GetString());
        File.CreateSymbolicLink(socket, plant.SocketPath);
        await CreateAsync(agent, name);
        await agent.StatusAsync(name, IsOnLan, _limit.Token);
        await DeleteAsync(agent, name);
    }

    [Fact]
    public async Task InterfacesWhoseNamesAreShell_HarmNobody()
    {
        var (_, agent) = await StartAsync();
        var trace = Path.Combine(_folder, "trace");
        await HostAsync("ip link add '$(id>x)' type veth peer name 'a;touch$IFS'; ip link set 'a;touch$IFS' up; ip link set '$(id>x)' up");
        try
        {
            await Until(async () => Has(await agent.AskAsync("get_host_interfaces", new JsonObject()), "$(id>x)"));
            foreach (var parent in new[] { $"ens37;touch {trace}", "$(id>x)", "a;touch$IFS", "../ens37", "-h" })
            {
                var answer = await agent.Get<INetworkMonitor>().SendAsync(new MonitorCommand
                {
                    Command = MonitorCommand.AttachVnic, ContainerName = "x", VnicName = "y", MacAddress = NewMac(), ContainerPid = Environment.ProcessId, ParentInterface = parent,
                }, _limit.Token);
                Assert.False(answer.Success, parent);
            }
            Assert.False(File.Exists(trace));
        }
        finally
        {
            await HostAsync("ip link del '$(id>x)'");
        }
    }

    [Fact]
    public async Task EngineMakesTheNetworks_WhereItIsToldTo()
    {
        var (_, agent) = await StartAsync(options => options with { Lan = LanMode.Engine });
        var (name, mac) = (NewName(), NewMac());
        await CreateAsync(agent, name, Vnic("a", "ens37", mac, "static", "192.168.77.80"));
        var status = await agent.StatusAsync(name, IsOnLan, _limit.Token);
        Assert.Equal("macvlan_ens37_192.168.77.0_24", status.GetProperty("networks").EnumerateObject().Single().Name);
        Assert.Equal(mac, await MacSeenAsync("192.168.77.80"));
        await DeleteAsync(agent, name);
        await HostAsync($"docker -H unix://{plant.SocketPath} network rm macvlan_ens37_192.168.77.0_24");
    }

    [Fact]
    public async Task D22_WirelessParent_TheHostAnswersForTheDevice_StaticAndByDhcp_AndAgainAfterItWasDown()
    {
        await plant.UpAsync(_limit.Token);
        // The name alone makes it wireless; it hangs on the same LAN.
        await HostAsync("ip link add wlan0 type veth peer name p-wlan0; ip addr add 192.168.77.11/24 dev wlan0; ip link set wlan0 up");
        await plant.MoveToLanAsync("p-wlan0", _limit.Token);
        try
        {
            var (_, agent) = await StartAsync();
            await Until(async () => Has(await agent.AskAsync("get_host_interfaces", new JsonObject()), "wlan0"));
            var (fixedOne, leased) = (NewName(), NewName());
            await CreateAsync(agent, fixedOne, Vnic("air", "wlan0", null, "static", "192.168.77.90"));
            await agent.StatusAsync(fixedOne, IsOnLan, _limit.Token);
            await CreateAsync(agent, leased, Vnic("air", "wlan0", null, "dhcp"));
            var status = await agent.StatusAsync(leased, s => IsOnLan(s) && s.GetProperty("networks").EnumerateObject().Any(), _limit.Token);
            Assert.Equal("wifi_wlan0_air", status.GetProperty("networks").EnumerateObject().Single().Name);
            Assert.Equal(await MacSeenAsync("192.168.77.11"), await MacSeenAsync("192.168.77.90"));
            Assert.Equal(await MacSeenAsync("192.168.77.11"), await MacSeenAsync(AddressOf(status)));

            // A parent that goes down forgets for whom it answers; the lease is still good, and the bridges are whole again.
            await HostAsync("ip link set wlan0 down");
            await Until(async () => !Has(await agent.AskAsync("get_host_interfaces", new JsonObject()), "wlan0"));
            await HostAsync("ip link set wlan0 up");
            foreach (var address in new[] { AddressOf(status), "192.168.77.90" })
                await Until(async () => (await plant.RunAsync(_limit.Token, onHost: false, "ping", "-c", "1", "-W", "1", address)).ExitCode == 0);
            await DeleteAsync(agent, fixedOne);
            await DeleteAsync(agent, leased);
            Assert.Empty((await plant.RunAsync(_limit.Token, onHost: true, "ip", "-4", "neigh", "show", "proxy")).Output);
            Assert.DoesNotContain("mv-", (await plant.RunAsync(_limit.Token, onHost: true, "ip", "-o", "link")).Output);
        }
        finally
        {
            await HostAsync("ip link del wlan0");
        }
    }

    [Fact]
    public async Task D23_CleaningUp_RemovesWhatTheMonitorMade_AndNoLinkOfAnybodyElse()
    {
        var (_, agent) = await StartAsync();
        var own = LinkNames.Veth("plc", "air");
        await HostAsync($"ip link add {own} type veth peer name mt-own; ip link add veth-foreign type veth peer name veth-other");
        try
        {
            var answer = await agent.Get<INetworkMonitor>().SendAsync(new MonitorCommand { Command = MonitorCommand.CleanupAllProxyArp }, _limit.Token);
            Assert.Equal((true, 1), (answer.Success, answer.VethsRemoved));
            var links = (await plant.RunAsync(_limit.Token, onHost: true, "ip", "-o", "link")).Output;
            Assert.Contains("veth-foreign", links);
            Assert.DoesNotContain(own, links);
        }
        finally
        {
            await HostAsync("ip link del veth-foreign");
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _limit.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<(ProcessUnderTest Monitor, AgentUnderTest Agent)> StartAsync(Func<AgentOptions, AgentOptions>? change = null)
    {
        await plant.UpAsync(_limit.Token);
        var monitor = Own(plant.StartOnHost("netmon", "--data-dir", _folder, "--serial-dir", Path.Combine(_folder, "none")));
        await monitor.LineAsync("listens at", _limit.Token);
        var agent = Own(await new AgentUnderTest(_folder, plant.SocketPath, LoggerFactory, change).StartAsync(_limit.Token));
        await agent.Get<HostNetwork>().Discovered.WaitAsync(_limit.Token);
        return (monitor, agent);
    }

    private static string NewName() => "plc-" + Guid.NewGuid().ToString("N")[..8];

    private static string NewMac() => Mooring.Edge.Agent.Devices.MacAddress.Generate();

    private static JsonObject Vnic(string name, string parent, string? mac, string mode, string? ip = null) => new()
    {
        ["name"] = name, ["parent_interface"] = parent, ["network_mode"] = mode, ["mac"] = mac, ["ip"] = ip,
        ["subnet"] = ip is null ? null : "255.255.255.0", ["gateway"] = ip is null ? null : "192.168.77.1",
    };

    private static Task<JsonElement> CreateAsync(AgentUnderTest agent, string name, params JsonObject[] vnics) =>
        agent.AskAsync("create_new_runtime", new JsonObject { ["container_name"] = name, ["vnic_configs"] = new JsonArray([.. vnics]) });

    private async Task DeleteAsync(AgentUnderTest agent, string name)
    {
        await agent.AskDeviceAsync("delete_device", name);
        await agent.StatusAsync(name, s => s.GetProperty("status").GetString() == "not_found", _limit.Token);
    }

    private static bool HasEnded(JsonElement status) => status.GetProperty("status").GetString() is "success" or "error";

    private static bool IsOnLan(JsonElement status) => status.TryGetProperty("lan_ready", out var ready) && ready.GetBoolean();

    private static string AddressOf(JsonElement status) => status.GetProperty("networks").EnumerateObject().Single().Value.GetProperty("ip_address").GetString()!;

    private static bool Has(JsonElement interfaces, string name) =>
        interfaces.TryGetProperty("interfaces", out var list) && list.EnumerateArray().Any(nic => nic.GetProperty("name").GetString() == name);

    /// <summary>Waits for what the kernel, the monitor and the agent come to in their own time.</summary>
    private Task Until(Func<Task<bool>> condition, [CallerArgumentExpression(nameof(condition))] string what = "") =>
        Eventually.TrueAsync(condition, what, _limit.Token, limit: TimeSpan.FromMinutes(1));

    private async Task NothingIsLeftAsync(params string[] names)
    {
        using var engine = new EngineClient(new EngineClientOptions { SocketPath = plant.SocketPath }, TimeProvider.System);
        foreach (var name in names)
        {
            Assert.Null(await engine.InspectContainerAsync(name, _limit.Token));
            Assert.Null(await engine.InspectNetworkAsync(name + "_internal", _limit.Token));
            Assert.False(await engine.RemoveVolumeAsync(name + "_data", _limit.Token));
        }
    }

    private Task HostAsync(string commands) => plant.RunAsync(_limit.Token, onHost: true, "sh", "-c", commands);

    private Task LanAsync(string commands) => plant.RunAsync(_limit.Token, onHost: false, "sh", "-c", commands);

    private async Task<string> MacSeenAsync(string address)
    {
        await LanAsync("ip neigh flush dev br-lan");
        var ping = await plant.RunAsync(_limit.Token, onHost: false, "ping", "-c", "1", "-W", "5", address);
        Assert.True(ping.ExitCode == 0, ping.Output);
        var neighbour = await plant.RunAsync(_limit.Token, onHost: false, "ip", "neigh", "show", address);
        return neighbour.Output.Split(' ').SkipWhile(word => word != "lladdr").ElementAt(1);
    }

    private static void Fill(FileStream file)
    {
        while (true)
        {
            file.Write(new byte[4096]);
            file.Flush(flushToDisk: true);
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.WaitForExit();
    }
}
