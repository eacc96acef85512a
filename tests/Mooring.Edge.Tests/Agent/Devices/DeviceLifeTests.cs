using System.Text.Json;
using System.Text.Json.Nodes;
using Mooring.Edge.Agent;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.State;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.Devices;

/// <summary>Devices on a real engine, from creation to deletion, asked for in the words of a hub.</summary>
[Trait("Peer", "real")]
public sealed class DeviceLifeTests(PlantFloor plant) : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-agent-").FullName;

    [Fact]
    public async Task D1_Device_IsMadeStoppedStartedAndRemoved_AndNothingIsLeftBehind()
    {
        await using var agent = await AgentAsync();
        using var engine = new EngineClient(new EngineClientOptions { SocketPath = plant.SocketPath }, TimeProvider.System);
        var name = NewName();

        var answer = await CreateAsync(agent, name);
        Assert.Equal("creating", answer.GetProperty("status").GetString());
        Assert.Equal("create_new_runtime", answer.GetProperty("action").GetString());
        Assert.Equal(41, answer.GetProperty("correlation_id").GetInt32());
        Assert.Equal(name, answer.GetProperty("container_id").GetString());
        var status = await agent.StatusAsync(name, IsWhole, TestTimeout);
        Assert.Equal("running", status.GetProperty("container_status").GetString());
        Assert.StartsWith("10.213.", status.GetProperty("internal_ip").GetString());

        var container = (await engine.InspectContainerAsync(name, TestTimeout))!;
        Assert.Equal("no", container.HostConfig!.RestartPolicy!.Name);
        Assert.Equal(["CAP_MKNOD", "CAP_SYS_NICE"], container.HostConfig.CapAdd!.Select(c => c.StartsWith("CAP_") ? c : "CAP_" + c).Order());
        Assert.Contains("c 188:* rmw", container.HostConfig.DeviceCgroupRules!);
        Assert.Equal(["memlock", "rtprio"], container.HostConfig.Ulimits!.Select(u => u.Name).Order());

        var stopped = await agent.AskDeviceAsync("stop_device", name);
        Assert.Equal("exited", stopped.GetProperty("container_status").GetString());
        Assert.True(agent.Get<AgentState>().Devices.Find(name)!.IsStopped);
        var started = await agent.AskDeviceAsync("start_device", name);
        Assert.Equal("running", started.GetProperty("container_status").GetString());
        Assert.Equal(["stop_device", "start_device"], agent.Events.Where(e => e.Name != "device_event").Select(e => e.Name));
        Assert.Equal(["create", "stop", "start"], agent.Events.Where(e => e.Name == "device_event").Select(e => (string)e.Message["data"]!["operation"]!));

        var deleting = await agent.AskDeviceAsync("delete_device", name);
        Assert.Equal("deleting", deleting.GetProperty("status").GetString());
        await agent.StatusAsync(name, s => Is(s, "not_found"), TestTimeout);
        Assert.Null(await engine.InspectNetworkAsync(name + "_internal", TestTimeout));
        Assert.Empty(agent.Get<AgentState>().Devices.Snapshot());
        Assert.Empty(agent.Get<OperationJournal>().Read().Interrupted);
        Assert.False(await engine.RemoveVolumeAsync(name + "_data", TestTimeout));
    }

    [Fact]
    public async Task FiftyCreatesOfOneName_OneBegins()
    {
        await using var agent = await AgentAsync();
        var name = NewName();
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => CreateAsync(agent, name))));
        Assert.Single(answers, a => Is(a, "creating"));
        Assert.Equal(49, answers.Count(a => Is(a, "error")));
        await agent.StatusAsync(name, IsWhole, TestTimeout);
        await DeleteAsync(agent, name);
    }

    [Fact]
    public async Task D8_CreateOfAnExistingDevice_IsRefused_AndTheDeviceStaysHealthy()
    {
        await using var agent = await AgentAsync();
        var name = NewName();
        await CreateAsync(agent, name);
        await agent.StatusAsync(name, IsWhole, TestTimeout);
        var second = await CreateAsync(agent, name);
        Assert.Equal("name_taken", second.GetProperty("error_code").GetString());
        Assert.True(IsWhole(await agent.AskDeviceAsync("get_device_status", name)));
        await DeleteAsync(agent, name);
    }

    [Fact]
    public async Task D7_CreateThatFailsAtTheLastStep_LeavesNothing_AndSaysWhy()
    {
        Expect(7021);
        await using var agent = await AgentAsync();
        using var engine = new EngineClient(new EngineClientOptions { SocketPath = plant.SocketPath }, TimeProvider.System);
        var name = NewName();
        // The network is made, then the engine refuses the container: its name is taken by one that is not a device.
        await engine.CreateContainerAsync(name, new ContainerCreation { Image = PlantFloor.RuntimeImage + ":latest" }, TestTimeout);
        await CreateAsync(agent, name);
        var status = await agent.StatusAsync(name, s => Is(s, "error"), TestTimeout);
        Assert.Equal(("create", "creating_container"), (status.GetProperty("operation").GetString(), status.GetProperty("step").GetString()));
        Assert.Contains(name, status.GetProperty("error").GetString());
        Assert.Null(await engine.InspectNetworkAsync(name + "_internal", TestTimeout));
        Assert.NotNull(await engine.InspectContainerAsync(name, TestTimeout));
        Assert.Empty(agent.Get<AgentState>().Devices.Snapshot());
        await engine.RemoveContainerAsync(name, TestTimeout);
    }

    [Fact]
    public async Task MissingVersion_NamesTheVersion()
    {
        Expect(7021);
        // A registry that refuses at once.
        await using var agent = await AgentAsync(options => options with { RuntimeImage = "127.0.0.1:1/runtime" });
        var name = NewName();
        await CreateAsync(agent, name, message => message["runtime_version"] = "v9.9.9");
        var status = await agent.StatusAsync(name, s => Is(s, "error"), TestTimeout);
        Assert.Equal("pulling_image", status.GetProperty("step").GetString());
        Assert.Contains("v9.9.9", status.GetProperty("error").GetString());
    }

    [Fact]
    public async Task D20_KilledRuntime_IsBackWithTheSameName()
    {
        await using var agent = await AgentAsync();
        using var engine = new EngineClient(new EngineClientOptions { SocketPath = plant.SocketPath }, TimeProvider.System);
        var name = NewName();
        await CreateAsync(agent, name);
        await agent.StatusAsync(name, IsWhole, TestTimeout);
        var pid = (await engine.InspectContainerAsync(name, TestTimeout))!.State.Pid;
        System.Diagnostics.Process.GetProcessById(pid).Kill();
        var status = await agent.StatusAsync(name, s => IsWhole(s) && s.GetProperty("restart_count").GetInt32() == 1, TestTimeout);
        Assert.NotEqual(pid, (await engine.InspectContainerAsync(name, TestTimeout))!.State.Pid);
        Assert.True(status.GetProperty("is_running").GetBoolean());
        Assert.Contains(name + "_internal", (await engine.InspectContainerAsync(name, TestTimeout))!.NetworkSettings!.Networks!.Keys);
        await DeleteAsync(agent, name);
    }

    [Fact]
    public async Task Logs_AreAnswered_AndFollowedAsEvents_UntilTheDeviceEnds()
    {
        await using var agent = await AgentAsync();
        using var engine = new EngineClient(new EngineClientOptions { SocketPath = plant.SocketPath }, TimeProvider.System);
        var name = NewName();
        await CreateAsync(agent, name);
        await agent.StatusAsync(name, IsWhole, TestTimeout);
        var followed = await agent.AskAsync("get_logs", new JsonObject { ["device_id"] = name, ["follow"] = true });
        Assert.Equal(("success", false), (followed.GetProperty("status").GetString(), followed.GetProperty("truncated").GetBoolean()));
        await Eventually.TrueAsync(async () =>
        {
            // The stream may be opened a moment after the answer.
            await engine.ExecAsync(name, ["sh", "-c", "echo tick > /proc/1/fd/1"], "root", TestTimeout);
            return agent.Events.Any(e => e.Name == "device_log" && ((string?)e.Message["text"])?.Contains("tick") == true && (string?)e.Message["stream"] == "stdout");
        }, "a line of the log", TestTimeout);
        Assert.Contains("tick", (await agent.AskDeviceAsync("get_logs", name)).GetProperty("log").GetString());
        Assert.Equal("", (await agent.AskAsync("get_logs", new JsonObject { ["device_id"] = name, ["tail"] = 0 })).GetProperty("log").GetString());
        Assert.Equal("not_found", (await agent.AskDeviceAsync("get_logs", "nobody")).GetProperty("error_code").GetString());
        await DeleteAsync(agent, name);
        await Eventually.TrueAsync(() => agent.Events.Any(e => e.Name == "device_log" && (bool?)e.Message["ended"] == true), "the end of the log", TestTimeout);
    }

    [Fact]
    public async Task DeviceThatAnOperatorStopped_StaysStoppedOverARestartOfTheAgent()
    {
        using var engine = new EngineClient(new EngineClientOptions { SocketPath = plant.SocketPath }, TimeProvider.System);
        var (stopped, running) = (NewName(), NewName());
        await using (var agent = await AgentAsync())
        {
            await CreateAsync(agent, stopped);
            await CreateAsync(agent, running);
            await agent.StatusAsync(stopped, IsWhole, TestTimeout);
            await agent.StatusAsync(running, IsWhole, TestTimeout);
            await agent.AskDeviceAsync("stop_device", stopped);
        }
        await engine.StopContainerAsync(running, TimeSpan.Zero, TestTimeout);
        await using var again = await AgentAsync();
        await again.StatusAsync(running, IsWhole, TestTimeout);
        var status = await again.AskDeviceAsync("get_device_status", stopped);
        Assert.Equal((false, true), (status.GetProperty("is_running").GetBoolean(), status.GetProperty("stopped_by_operator").GetBoolean()));
        await DeleteAsync(again, stopped);
        await DeleteAsync(again, running);
    }

    [Fact]
    public async Task AgentThatIsKilledWhileItMakesADevice_TakesItBackAtTheNextStart()
    {
        using var engine = new EngineClient(new EngineClientOptions { SocketPath = plant.SocketPath }, TimeProvider.System);
        var name = NewName();
        await using (var agent = await AgentAsync())
        {
            await CreateAsync(agent, name);
            await agent.StatusAsync(name, IsWhole, TestTimeout);
            // As it stands just before the device is registered.
            agent.Get<AgentState>().Devices.Remove(name);
            agent.Get<OperationTable>().TryBegin(name, OperationKind.Create, out _);
            agent.Get<OperationTable>().Step(name, "creating_container");
        }
        await using var again = await AgentAsync();
        var status = await again.AskDeviceAsync("get_device_status", name);
        Assert.Contains("killed", status.GetProperty("error").GetString());
        Assert.Null(await engine.InspectContainerAsync(name, TestTimeout));
        Assert.Null(await engine.InspectNetworkAsync(name + "_internal", TestTimeout));
        Assert.Empty(again.Get<OperationJournal>().Read().Interrupted);
    }

    [Fact]
    public async Task AgentThatIsKilledWhileItRemovesADevice_FinishesAtTheNextStart()
    {
        using var engine = new EngineClient(new EngineClientOptions { SocketPath = plant.SocketPath }, TimeProvider.System);
        var name = NewName();
        await using (var agent = await AgentAsync())
        {
            await CreateAsync(agent, name);
            await agent.StatusAsync(name, IsWhole, TestTimeout);
            agent.Get<OperationTable>().TryBegin(name, OperationKind.Delete, out _);
            agent.Get<OperationTable>().Step(name, "stopping_container");
        }
        await using var again = await AgentAsync();
        Assert.True(Is(await again.AskDeviceAsync("get_device_status", name), "not_found"));
        Assert.Null(await engine.InspectNetworkAsync(name + "_internal", TestTimeout));
    }

    [Fact]
    public async Task D44_RuntimeThatFallsOverAgainAndAgain_IsGivenUp_AndTheHubIsTold_UntilAnOperatorStartsIt()
    {
        Expect(7033);
        await using var agent = await AgentAsync();
        using var engine = new EngineClient(new EngineClientOptions { SocketPath = plant.SocketPath }, TimeProvider.System);
        var name = NewName();
        await CreateAsync(agent, name);
        await agent.StatusAsync(name, IsWhole, TestTimeout);
        // Each end is followed by a start after three seconds; operators do not wait for that here.
        var look = agent.Get<Mooring.Edge.Agent.Upkeep.DeviceUpkeep>();
        for (var restart = 1; restart <= 5; restart++)
        {
            System.Diagnostics.Process.GetProcessById((await engine.InspectContainerAsync(name, TestTimeout))!.State.Pid).Kill();
            while ((await engine.InspectContainerAsync(name, TestTimeout))!.State.Running) await Task.Yield();
            look.Ask(name, TimeSpan.Zero);
            await agent.StatusAsync(name, s => IsWhole(s) && s.GetProperty("restart_count").GetInt32() == restart, TestTimeout);
        }
        await engine.StopContainerAsync(name, TimeSpan.Zero, TestTimeout);
        look.Ask(name, TimeSpan.Zero);
        var status = await agent.StatusAsync(name, s => s.TryGetProperty("warnings", out _), TestTimeout);
        Assert.StartsWith("crash loop: restarted 5 times", status.GetProperty("warnings")[0].GetString());
        Assert.True(status.GetProperty("crash_loop").GetBoolean());
        Assert.Equal(name, (string)agent.Events.Single(e => e.Name == "crash_loop").Message["device_id"]!);
        await agent.AskDeviceAsync("start_device", name);
        status = await agent.StatusAsync(name, IsWhole, TestTimeout);
        Assert.False(status.TryGetProperty("crash_loop", out _) || status.TryGetProperty("warnings", out _));
        await DeleteAsync(agent, name);
    }

    [Fact]
    public async Task D29_WhateverIsAsked_IsAnswered()
    {
        await using var agent = await AgentAsync();
        var unknown = await agent.AskAsync("make_coffee", new JsonObject { ["correlation_id"] = 7 });
        Assert.Equal(("unknown_topic", "make_coffee", 7),
            (unknown.GetProperty("error_code").GetString(), unknown.GetProperty("action").GetString(), unknown.GetProperty("correlation_id").GetInt32()));
        var odd = await agent.AskAsync("get_device_status", JsonValue.Create("no object"));
        Assert.Equal(("error", "get_device_status"), (odd.GetProperty("status").GetString(), odd.GetProperty("action").GetString()));
    }

    [Fact]
    public async Task D16_SelfDestruction_RemovesAllDevices_TellsTheHubOfEach_AndEndsTheAgent()
    {
        await using var agent = await AgentAsync();
        using var engine = new EngineClient(new EngineClientOptions { SocketPath = plant.SocketPath }, TimeProvider.System);
        var (one, two) = (NewName(), NewName());
        await CreateAsync(agent, one);
        await CreateAsync(agent, two);
        await agent.StatusAsync(one, IsWhole, TestTimeout);
        await agent.StatusAsync(two, IsWhole, TestTimeout);
        Assert.Equal("accepted", (await agent.AskAsync("delete_orchestrator", new JsonObject())).GetProperty("status").GetString());
        Assert.Equal("operation_in_progress", (await agent.AskAsync("delete_orchestrator", new JsonObject())).GetProperty("error_code").GetString());
        await Eventually.TrueAsync(() => agent.StopReason is not null, "the end of the agent", TestTimeout);
        var results = agent.Events.Single(e => e.Name == "orchestrator_removed").Message["results"]!;
        foreach (var name in new[] { one, two })
        {
            Assert.Equal("removed", (string)results[name]!);
            Assert.Null(await engine.InspectContainerAsync(name, TestTimeout));
            Assert.Null(await engine.InspectNetworkAsync(name + "_internal", TestTimeout));
        }
        Assert.Empty(agent.Get<AgentState>().Devices.Snapshot());
    }

    [Fact]
    public async Task D40_Update_OfLimits_IsDoneWhileTheDeviceRuns()
    {
        await using var agent = await AgentAsync();
        using var engine = new EngineClient(new EngineClientOptions { SocketPath = plant.SocketPath }, TimeProvider.System);
        var name = NewName();
        await CreateAsync(agent, name);
        await agent.StatusAsync(name, IsWhole, TestTimeout);
        var before = (await engine.InspectContainerAsync(name, TestTimeout))!;
        var answer = await UpdateAsync(agent, name, new JsonObject { ["resources"] = new JsonObject { ["cpus"] = 0.5, ["memory_mib"] = 64 } });
        Assert.Equal("updating", answer.GetProperty("status").GetString());
        await agent.StatusAsync(name, IsWhole, TestTimeout);
        var after = (await engine.InspectContainerAsync(name, TestTimeout))!;
        Assert.Equal((before.Id, before.State.Pid, 500_000_000L, 64L * 1024 * 1024), (after.Id, after.State.Pid, after.HostConfig!.NanoCpus, after.HostConfig.Memory));
        Assert.Equal("nothing is to be changed: give runtime_version, resources, vnic_configs or serial_configs",
            (await UpdateAsync(agent, name, [])).GetProperty("error").GetString());
        await DeleteAsync(agent, name);
    }

    [Fact]
    public async Task D14_Update_ToAnotherVersion_KeepsTheData_AndAVersionThatDoesNotRun_IsTakenBack()
    {
        Expect(7023);
        await using var agent = await AgentAsync();
        using var engine = new EngineClient(new EngineClientOptions { SocketPath = plant.SocketPath }, TimeProvider.System);
        var name = NewName();
        await CreateAsync(agent, name);
        await agent.StatusAsync(name, IsWhole, TestTimeout);
        await engine.ExecAsync(name, ["sh", "-c", "echo kept > /var/run/runtime/program"], "root", TestTimeout);
        await UpdateAsync(agent, name, new JsonObject { ["runtime_version"] = "v4.0.9" });
        await agent.StatusAsync(name, IsWhole, TestTimeout);
        var container = (await engine.InspectContainerAsync(name, TestTimeout))!;
        Assert.Equal(PlantFloor.RuntimeImage + ":v4.0.9", container.Config!.Image);
        Assert.Equal("kept", (await engine.ExecAsync(name, ["cat", "/var/run/runtime/program"], "root", TestTimeout)).Output.Trim());

        await plant.ImageAsync(TestTimeout, PlantFloor.RuntimeImage + ":broken", "exit 7");
        await UpdateAsync(agent, name, new JsonObject { ["runtime_version"] = "broken" });
        var status = await agent.StatusAsync(name, s => IsWhole(s) && s.TryGetProperty("last_operation_error", out _), TestTimeout);
        Assert.Contains("version broken is not good, the version before is back: its runtime ended with exit code 7", status.GetProperty("last_operation_error").GetString());
        Assert.Equal(container.Id, (await engine.InspectContainerAsync(name, TestTimeout))!.Id);
        Assert.Null(await engine.InspectContainerAsync(name + "_previous", TestTimeout));
        await DeleteAsync(agent, name);
    }

    [Fact]
    public async Task AgentThatIsKilledWhileItReplacesAContainer_PutsTheOldOneBack()
    {
        using var engine = new EngineClient(new EngineClientOptions { SocketPath = plant.SocketPath }, TimeProvider.System);
        var name = NewName();
        await using (var agent = await AgentAsync())
        {
            await CreateAsync(agent, name);
            await agent.StatusAsync(name, IsWhole, TestTimeout);
            agent.Get<OperationTable>().TryBegin(name, OperationKind.Update, out _);
            agent.Get<OperationTable>().Step(name, "replacing_container");
            await engine.RenameContainerAsync(name, name + "_previous", TestTimeout);
            await engine.CreateContainerAsync(name, new ContainerCreation { Image = PlantFloor.RuntimeImage + ":latest" }, TestTimeout);
        }
        var old = (await engine.InspectContainerAsync(name + "_previous", TestTimeout))!.Id;
        await using var again = await AgentAsync();
        await again.StatusAsync(name, IsWhole, TestTimeout);
        Assert.Equal(old, (await engine.InspectContainerAsync(name, TestTimeout))!.Id);
        await DeleteAsync(again, name);
    }

    [Fact]
    public async Task D46_EngineThatRefusesLimits_TheDeviceRunsWithout_AndSaysSo()
    {
        await using var agent = await AgentAsync(options => options with { OciRuntime = "refusing" });
        using var engine = new EngineClient(new EngineClientOptions { SocketPath = plant.SocketPath }, TimeProvider.System);
        var name = NewName();
        await CreateAsync(agent, name);
        var status = await agent.StatusAsync(name, s => IsWhole(s) || Is(s, "error"), TestTimeout);
        Assert.Contains("the engine refused the limits for real-time priority", status.GetProperty("warnings")[0].GetString());
        Assert.Contains("the engine refused the capability SYS_NICE", status.GetProperty("warnings")[1].GetString());
        var container = (await engine.InspectContainerAsync(name, TestTimeout))!;
        Assert.Empty(container.HostConfig!.Ulimits ?? []);
        Assert.DoesNotContain(container.HostConfig.CapAdd!, c => c.EndsWith("SYS_NICE", StringComparison.Ordinal));
        await DeleteAsync(agent, name);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static bool Is(JsonElement status, string word) => status.GetProperty("status").GetString() == word;

    private static bool IsWhole(JsonElement status) =>
        Is(status, "success") && status.GetProperty("is_running").GetBoolean() && status.GetProperty("lan_ready").GetBoolean();

    private static string NewName() => "plc-" + Guid.NewGuid().ToString("N")[..8];

    private static Task<JsonElement> CreateAsync(AgentUnderTest agent, string name, Action<JsonObject>? change = null)
    {
        var message = new JsonObject { ["container_name"] = name, ["vnic_configs"] = new JsonArray(), ["correlation_id"] = 41 };
        change?.Invoke(message);
        return agent.AskAsync("create_new_runtime", message);
    }

    private static Task<JsonElement> UpdateAsync(AgentUnderTest agent, string name, JsonObject change)
    {
        change["device_id"] = name;
        return agent.AskAsync("update_device", change);
    }

    private async Task DeleteAsync(AgentUnderTest agent, string name)
    {
        await agent.AskDeviceAsync("delete_device", name);
        await agent.StatusAsync(name, s => Is(s, "not_found"), TestTimeout);
    }

    private async Task<AgentUnderTest> AgentAsync(Func<AgentOptions, AgentOptions>? change = null)
    {
        await plant.UpAsync(TestTimeout);
        return await new AgentUnderTest(_folder, plant.SocketPath, LoggerFactory, change).StartAsync(TestTimeout);
    }
}
