using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.Upgrade;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.Upgrade;

/// <summary>The agent's container is replaced on a real engine; lines of shell stand in for agents.</summary>
[Trait("Peer", "real")]
public sealed class AgentUpgraderTests(PlantFloor plant) : MooringTest
{
    private const string Connects = "cp /var/orchestrator/session.json /var/orchestrator/data/session.json; while :; do sleep 1; done";

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-upgrade-").FullName;
    private readonly string _name = "agent-" + Guid.NewGuid().ToString("N")[..8];

    [Fact]
    public async Task NewAgentThatAHubLetsIn_Stays_WithTheSettingsOfTheOld()
    {
        using var engine = await StartAsync();
        await File.WriteAllTextAsync(Path.Combine(_folder, "session.json"), """{"agent_version":"2","at":"2999-01-01T00:00:00Z"}""", TestTimeout);
        await plant.ImageAsync(TestTimeout, "mooring/agent:good", Connects);
        Assert.Null(await UpgradeAsync("mooring/agent:good"));
        var agent = (await engine.InspectContainerAsync(_name, TestTimeout))!;
        Assert.Equal(("mooring/agent:good", true, "always"), (agent.Config!.Image, agent.State.Running, agent.HostConfig!.RestartPolicy!.Name));
        Assert.Contains("PLANT=7", agent.Config.Env!);
        Assert.Equal([$"{_folder}:/var/orchestrator"], agent.HostConfig.Binds!);
        Assert.Null(await engine.InspectContainerAsync(_name + "_previous", TestTimeout));
        Assert.Equal(new UpgradeResult("mooring/agent:good", null), UpgradeResult.Take(_folder));
        await engine.RemoveContainerAsync(_name, TestTimeout);
    }

    [Theory]
    [InlineData("exit 3", "the new agent does not stay up")]
    [InlineData("while :; do sleep 1; done", "no hub let the new agent in within 3 s")]
    public async Task D35_NewAgentThatNoHubLetsIn_IsReplacedByTheOld(string command, string reason)
    {
        using var engine = await StartAsync();
        var old = (await engine.InspectContainerAsync(_name, TestTimeout))!;
        await plant.ImageAsync(TestTimeout, "mooring/agent:bad", command);
        Assert.Equal(reason, await UpgradeAsync("mooring/agent:bad"));
        var agent = (await engine.InspectContainerAsync(_name, TestTimeout))!;
        Assert.Equal((old.Id, true, "always"), (agent.Id, agent.State.Running, agent.HostConfig!.RestartPolicy!.Name));
        Assert.Equal(new UpgradeResult("mooring/agent:bad", reason), UpgradeResult.Take(_folder));
        Assert.Null(UpgradeResult.Take(_folder));
        await engine.RemoveContainerAsync(_name, TestTimeout);
    }

    [Fact]
    public async Task ImageThatIsNotThere_LeavesTheOldAgentRunning()
    {
        using var engine = await StartAsync();
        Assert.Contains("mooring/agent:none", await UpgradeAsync("mooring/agent:none"));
        Assert.True((await engine.InspectContainerAsync(_name, TestTimeout))!.State.Running);
        await engine.RemoveContainerAsync(_name, TestTimeout);
    }

    [Fact]
    public async Task AgentThatRunsInNoContainer_SaysSo_AndOneAfterAnUpgradeTellsItsEnd()
    {
        Expect(7081);
        await plant.UpAsync(TestTimeout);
        await using (var agent = await new AgentUnderTest(_folder, plant.SocketPath, LoggerFactory).StartAsync(TestTimeout))
        {
            Assert.Equal("accepted", (await agent.AskAsync("upgrade_orchestrator", new JsonObject())).GetProperty("status").GetString());
            var status = await agent.StatusAsync(Operation.Orchestrator, s => s.GetProperty("status").GetString() == "error", TestTimeout);
            Assert.Contains("runs in no container", status.GetProperty("error").GetString());
            agent.Get<OperationTable>().TryBegin(Operation.Orchestrator, OperationKind.Upgrade, out _);
            agent.Get<OperationTable>().Step(Operation.Orchestrator, "upgrader_spawned");
        }
        new UpgradeResult("mooring/agent:2", null).Write(_folder);
        await using var again = await new AgentUnderTest(_folder, plant.SocketPath, LoggerFactory).StartAsync(TestTimeout);
        await again.StatusAsync(Operation.Orchestrator, s => s.GetProperty("status").GetString() == "not_found", TestTimeout);
        Assert.Contains(again.Events, e => e.Name == "upgrade_finished");
    }

    [Theory]
    [InlineData("agent", "agent", "latest")]
    [InlineData("ghcr.io/x/agent:v1", "ghcr.io/x/agent", "v1")]
    [InlineData("localhost:5000/agent", "localhost:5000/agent", "latest")]
    [InlineData("localhost:5000/agent:2@sha256:abc", "localhost:5000/agent", "2")]
    public void NameOfAnImage_IsTakenApart(string image, string repository, string tag) => Assert.Equal((repository, tag), ContainerCopy.Split(image));

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<EngineClient> StartAsync()
    {
        await plant.UpAsync(TestTimeout);
        Directory.CreateDirectory(Path.Combine(_folder, "data"));
        var engine = new EngineClient(new EngineClientOptions { SocketPath = plant.SocketPath }, TimeProvider.System);
        await engine.CreateContainerAsync(_name, new ContainerCreation
        {
            Image = "mooring/busybox:1",
            Env = ["PLANT=7"],
            HostConfig = new HostSettings { Binds = [$"{_folder}:/var/orchestrator"], RestartPolicy = new RestartPolicy("always") },
        }, TestTimeout);
        await engine.StartContainerAsync(_name, TestTimeout);
        return engine;
    }

    private Task<string?> UpgradeAsync(string image) => AgentUpgrader.RunAsync(new AgentUpgraderOptions
    {
        Container = _name, Image = image, DataFolder = _folder, EngineSocket = plant.SocketPath, Delay = TimeSpan.Zero, SessionTimeout = TimeSpan.FromSeconds(3),
    }, TimeProvider.System, LoggerFactory, TestTimeout);
}
