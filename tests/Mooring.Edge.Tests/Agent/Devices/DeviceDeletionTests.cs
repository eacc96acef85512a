using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.State;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.Devices;

/// <summary>Removing devices, and the agent itself, with an engine and a network monitor that are played.</summary>
public sealed class DeviceDeletionTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-deletion-").FullName;
    private PlayedEngine _engine = null!;
    private PlayedMonitor _monitor = null!;
    private AgentUnderTest _agent = null!;

    [Fact]
    public async Task Deletion_GivesInterfacesBackWhileTheDeviceRuns_ThenRemovesItAndItsNetwork_AndForgetsIt()
    {
        await StartAsync("plc");
        await DeletedAsync("plc");
        Assert.Equal(
            [
                "MONITOR return_nic_to_host", "MONITOR cleanup_proxy_arp_bridge", "MONITOR detach_vnic", "POST containers/plc/stop", "DELETE containers/plc",
                "DELETE volumes/plc_data", "POST networks/plc_internal/disconnect", "DELETE networks/plc_internal",
            ],
            Steps());
        Assert.True(_engine.HasNetwork("macvlan_eth0_192.168.77.0_24"));
        var state = _agent.Get<AgentState>();
        Assert.Equal((0, 0, 0, 0), (state.Devices.Snapshot().Count, state.Vnics.Snapshot().Count, state.SerialPorts.Snapshot().Count, state.DedicatedNics.Snapshot().Count));
        Assert.Empty(_agent.Get<OperationJournal>().Read().Interrupted);
    }

    [Fact]
    public async Task MonitorThatRefusesEverything_AndAStopThatFails_DoNotKeepADevice()
    {
        await StartAsync("plc");
        _monitor.Answer = _ => PlayedMonitor.Failure("no");
        _engine.Refusal = request => request == "POST containers/plc/stop" ? "it hangs" : null;
        await DeletedAsync("plc");
        Assert.False(_engine.Has("plc") || _engine.HasNetwork("plc_internal"));
        Assert.Empty(_agent.Get<AgentState>().DedicatedNics.Snapshot());
    }

    [Fact]
    public async Task EngineThatRefuses_IsToldInTheStatus_TheDeviceStaysRegistered_AndGoesAtTheNextTry()
    {
        Expect(7040);
        await StartAsync("plc");
        _engine.Refusal = request => request == "DELETE containers/plc" ? "device is busy" : null;
        await _agent.AskDeviceAsync("delete_device", "plc");
        await Eventually.TrueAsync(() => _agent.Get<OperationTable>().Find("plc") is { HasFailed: true }, "the end of the deletion", TestTimeout);
        var status = await _agent.AskDeviceAsync("get_device_status", "plc");
        Assert.Contains("device is busy", status.ToString());
        Assert.NotNull(_agent.Get<AgentState>().Devices.Find("plc"));
        _engine.Refusal = _ => null;
        await DeletedAsync("plc");
    }

    [Fact]
    public async Task DeviceThatNobodyKnows_IsRemovedWithoutComplaint()
    {
        await StartAsync();
        Assert.Equal("deleting", (await _agent.AskDeviceAsync("delete_device", "nobody")).GetProperty("status").GetString());
        await DeletedAsync("nobody");
    }

    [Fact]
    public async Task SelfDestruction_GoesOnOverWhatFails_TellsOfEach_RemovesOnlyItsOwnNetworks_AndGoesLast()
    {
        Expect(7040, 7048);
        await StartAsync("one", "two");
        _engine.Put("agent", isRunning: true, c => c["Config"]!["Labels"] = new JsonObject { ["edge.autonomy.role"] = "orchestrator-agent" });
        _engine.Put("autonomy_netmon", isRunning: true);
        _engine.PutNetwork("bridge");
        _engine.PutNetwork("macvlan_eth0_10.0.0.0_8", network => network["Containers"] = new JsonObject { ["x"] = new JsonObject { ["Name"] = "somebody-elses" } });
        var failure = "device is busy";
        _engine.Refusal = request => request == "DELETE containers/one" ? failure : null;
        Assert.Equal("accepted", (await _agent.AskAsync("delete_orchestrator", new JsonObject())).GetProperty("status").GetString());
        await Eventually.TrueAsync(() => _agent.StopReason is not null, "the end of the agent", TestTimeout);
        var results = _agent.Events.Single(e => e.Name == "orchestrator_removed").Message["results"]!;
        Assert.Equal((failure, "removed", "removed"), ((string)results["one"]!, (string)results["two"]!, (string)results["networks"]!));
        Assert.Equal((true, false, false, false), (_engine.Has("one"), _engine.Has("two"), _engine.Has("autonomy_netmon"), _engine.Has("agent")));
        Assert.Equal((true, true, false), (_engine.HasNetwork("bridge"), _engine.HasNetwork("macvlan_eth0_10.0.0.0_8"), _engine.HasNetwork("macvlan_eth0_192.168.77.0_24")));
        Assert.Equal("DELETE containers/agent", Steps().Last());
        Assert.Equal("cleanup_all_proxy_arp", (string)_monitor.Commands.Last()["command"]!);
    }

    [Fact]
    public async Task SelfDestruction_OfAnAgentWhoseContainerCannotBeRemoved_SaysSo_AndEndsNothing()
    {
        Expect(7048);
        await StartAsync();
        _engine.Put("agent", isRunning: true, c => c["Config"]!["Labels"] = new JsonObject { ["edge.autonomy.role"] = "orchestrator-agent" });
        _engine.Refusal = request => request.StartsWith("DELETE containers/id", StringComparison.Ordinal) ? "no permission" : null;
        await _agent.AskAsync("delete_orchestrator", new JsonObject());
        var status = await _agent.StatusAsync(Operation.Orchestrator, s => s.GetProperty("status").GetString() == "error", TestTimeout);
        Assert.Contains("no permission", status.GetProperty("error").GetString());
        Assert.Null(_agent.StopReason);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task StartAsync(params string[] devices)
    {
        _engine = new PlayedEngine { SocketPath = Path.Combine(_folder, "engine.sock") };
        Own(await PlayedEngine.StartAsync(_engine));
        _monitor = Own(new PlayedMonitor(_folder));
        _monitor.Answer = command =>
        {
            _engine.Asked.Enqueue($"MONITOR {(string)command["command"]!}");
            return PlayedMonitor.Success();
        };
        _agent = Own(new AgentUnderTest(_folder, _engine.SocketPath, LoggerFactory));
        _engine.PutNetwork("macvlan_eth0_192.168.77.0_24", network => network["Driver"] = "macvlan");
        foreach (var device in devices) PutDevice(device);
        await _agent.StartAsync(TestTimeout);
        await _agent.Get<HostNetwork>().Discovered.WaitAsync(TestTimeout);
        foreach (var device in devices) await _agent.StatusAsync(device, s => s.TryGetProperty("lan_ready", out var ready) && ready.GetBoolean(), TestTimeout);
        _engine.Asked.Clear();
    }

    private void PutDevice(string device)
    {
        var state = _agent.Get<AgentState>();
        _engine.Put(device, isRunning: true);
        _engine.PutNetwork(device + "_internal", network => network["Containers"] = new JsonObject { ["id-agent"] = new JsonObject { ["Name"] = "agent" } });
        state.Devices.Set(device, new DeviceRecord { Name = device });
        state.DedicatedNics.Set(device, new DedicatedNicRecord("eth1"));
        state.SerialPorts.Set(device, new SerialRecord { Ports = [new SerialPortRecord { Name = "s", DeviceId = "x", ContainerPath = "/dev/s" }] });
        state.Vnics.Set(device,
        [
            new VnicRecord { Name = "air", ParentInterface = "wlan0", NetworkMode = "static", Ip = "10.0.0.9", IsWifi = true },
            new VnicRecord { Name = "lan", ParentInterface = "eth0", NetworkMode = "static", Ip = "192.168.77.60", MacAddress = "02:00:00:00:00:01" },
        ]);
    }

    private async Task DeletedAsync(string device)
    {
        await _agent.AskDeviceAsync("delete_device", device);
        await _agent.StatusAsync(device, s => s.GetProperty("status").GetString() == "not_found", TestTimeout);
    }

    private IEnumerable<string> Steps() => _engine.Done.Select(done => done.Contains("/id", StringComparison.Ordinal) ? done[..(done.IndexOf("/id", StringComparison.Ordinal) + 1)] + "agent" : done);
}
