using Mooring.Edge.Agent.State;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.State;

public sealed class AgentStateTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-state-").FullName;
    private readonly TestClock _clock = new();

    private string Clients => Path.Combine(_folder, "data", "clients.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void FilesOfAnEarlierAgent_AreReadAndKeepWhatIsNotKnown()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "data"));
        File.WriteAllText(Clients, """{"plc":{"ip":"172.18.0.2","name":"plc","colour":"red"}}""");
        File.WriteAllText(Path.Combine(_folder, "runtime_vnics.json"), """
            {"plc":[{"name":"eth0","parent_interface":"ens37","network_mode":"dhcp","mac_address":"02:00:00:00:00:01",
              "docker_network_name":"macvlan_ens37_192.168.77.0_24","_is_wifi":false,"_network_method":"macvlan","novelty":[1]}]}
            """);
        File.WriteAllText(Path.Combine(_folder, "data", "serial_configs.json"),
            """{"plc":{"serial_ports":[{"name":"m","device_id":"usb-FTDI","container_path":"/dev/m","status":"connected","major":188,"minor":0}]}}""");
        File.WriteAllText(Path.Combine(_folder, "dedicated_nics.json"), """{"plc":{"host_interface":"ens38"}}""");

        var state = new AgentState(_folder, _clock);
        Assert.Empty(state.Findings());
        Assert.Equal("172.18.0.2", state.Devices.Find("plc")!.Ip);
        var vnic = Assert.Single(state.Vnics.Find("plc")!);
        Assert.True(vnic.IsDhcp);
        Assert.Equal("02:00:00:00:00:01", vnic.MacAddress);
        Assert.Equal(188, Assert.Single(state.SerialPorts.Find("plc")!.Ports).Major);
        Assert.Equal("ens38", state.DedicatedNics.Find("plc")!.HostInterface);

        state.Devices.Update("plc", d => d with { Ip = "172.18.0.9" });
        state.Vnics.Set("plc", [vnic with { DhcpIp = "192.168.77.100" }]);
        var clients = File.ReadAllText(Clients);
        Assert.Contains("172.18.0.9", clients, StringComparison.Ordinal);
        Assert.Contains("\"colour\": \"red\"", clients, StringComparison.Ordinal);
        Assert.DoesNotContain("stopped_by_operator", clients, StringComparison.Ordinal);
        Assert.Contains("novelty", File.ReadAllText(Path.Combine(_folder, "data", "vnics.json")), StringComparison.Ordinal);
        Assert.Equal("192.168.77.100", new AgentState(_folder, _clock).Vnics.Find("plc")![0].DhcpIp);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{"plc":null}""")]
    [InlineData("""{"plc":{"ip":"1.2.3.4"}}""")]
    [InlineData("""{"plc":{"name":7}}""")]
    public void D17_BrokenFile_IsMovedAsideAndItsBackupIsTaken(string broken)
    {
        var state = new AgentState(_folder, _clock);
        state.Devices.Set("plc", new DeviceRecord { Name = "plc", Ip = "1.1.1.1" });
        state.Devices.Set("second", new DeviceRecord { Name = "second" });
        File.WriteAllText(Clients, broken);

        var after = new AgentState(_folder, _clock);
        Assert.Equal(StateFileFinding.Restored, after.Devices.Finding);
        Assert.True(after.IsRegistryKnown);
        Assert.Equal(["plc"], after.Devices.Snapshot().Select(d => d.Key));
        Assert.Contains("restored from its backup", Assert.Single(after.Findings()), StringComparison.Ordinal);
        Assert.Equal(broken, File.ReadAllText(Assert.Single(Directory.GetFiles(Path.Combine(_folder, "data"), "clients.json.broken-*"))));
    }

    [Fact]
    public void D17_BrokenFileWithoutGoodBackup_IsALostRegistry()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "data"));
        File.WriteAllText(Clients, "{");
        File.WriteAllText(Clients + ".bak", "{");
        var state = new AgentState(_folder, _clock);
        Assert.False(state.IsRegistryKnown);
        Assert.Empty(state.Devices.Snapshot());
    }

    [Fact]
    public void Forgetting_RemovesEverythingOfOneDevice()
    {
        var state = new AgentState(_folder, _clock);
        foreach (var name in new[] { "a", "b" })
        {
            state.Devices.Set(name, new DeviceRecord { Name = name });
            state.Vnics.Set(name, []);
            state.SerialPorts.Set(name, new SerialRecord());
            state.DedicatedNics.Set(name, new DedicatedNicRecord("ens38"));
        }
        state.Forget("a");
        var after = new AgentState(_folder, _clock);
        Assert.Equal(["b"], after.Devices.Snapshot().Select(d => d.Key));
        Assert.Equal(["b"], after.Vnics.Snapshot().Select(d => d.Key));
        Assert.Equal(["b"], after.SerialPorts.Snapshot().Select(d => d.Key));
        Assert.Equal(["b"], after.DedicatedNics.Snapshot().Select(d => d.Key));
    }

    [Fact]
    public void WriteThatFails_ChangesNothing()
    {
        var state = new AgentState(_folder, _clock);
        state.Devices.Set("a", new DeviceRecord { Name = "a" });
        Directory.Move(Path.Combine(_folder, "data"), Path.Combine(_folder, "gone"));
        Assert.ThrowsAny<IOException>(() => state.Devices.Set("b", new DeviceRecord { Name = "b" }));
        Assert.Null(state.Devices.Find("b"));
        Directory.Move(Path.Combine(_folder, "gone"), Path.Combine(_folder, "data"));
        Assert.False(state.Devices.Update("b", d => d));
        Assert.False(state.Devices.Remove("b"));
        Assert.True(state.Devices.Remove("a"));
    }
}
