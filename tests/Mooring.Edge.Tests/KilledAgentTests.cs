using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Engine;
using Mooring.Testing;

namespace Mooring.Edge.Tests;

/// <summary>An agent that is killed at each step of its work, as a program, and started again: it finishes or takes back, and nothing is left behind.</summary>
[Trait("Peer", "real")]
[Collection(nameof(RoughPlantFloor))]
public sealed class KilledAgentTests(RoughPlantFloor plant) : MooringTest
{
    private const string Api = "http://127.0.0.1:7700/api/orchestrators/plant01";
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-killed-").FullName;
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(180));

    [Fact]
    public async Task KilledAtEachStep_OfCreateAndDelete_NothingIsLeftBehind()
    {
        await plant.UpAsync(_limit.Token);
        using var engine = new EngineClient(new EngineClientOptions { SocketPath = plant.SocketPath }, TimeProvider.System);
        var hub = Own(plant.StartOnHost("hub", "--data", Path.Combine(_folder, "hub")));
        await hub.LineAsync("The hub is up", _limit.Token);
        await plant.RunAsync(_limit.Token, onHost: true, Path.Combine(AppContext.BaseDirectory, "mooring"), "hub", "enroll", "plant01",
            "--data", Path.Combine(_folder, "hub"), "--out", Path.Combine(_folder, "id"));
        foreach (var (step, isDeletion) in new[]
        {
            ("validating_config", false), ("pulling_image", false), ("creating_networks", false), ("creating_container", false),
            ("stopping_container", true), ("removing_networks", true),
        })
        {
            var name = "plc-" + step.Replace('_', '-');
            await using (var agent = await StartAgentAsync())
            {
                if (isDeletion)
                {
                    await CurlAsync("POST", "/devices?wait=60", Device(name));
                    await KillAtAsync(agent, name, step, "DELETE", "/devices/" + name);
                }
                else
                {
                    await KillAtAsync(agent, name, step, "POST", "/devices", Device(name));
                }
            }
            await using (var again = await StartAgentAsync())
            {
                await Eventually.TrueAsync(() => Directory.GetFiles(OperationsFolder).Length == 0, "the end of what was interrupted", _limit.Token, limit: TimeSpan.FromMinutes(1));
                // Killed after its last step was on disk, a create has been finished.
                if (!isDeletion && await engine.InspectContainerAsync(name, _limit.Token) is not null) await CurlAsync("DELETE", $"/devices/{name}?wait=60");
            }
            Assert.Null(await engine.InspectContainerAsync(name, _limit.Token));
            Assert.Null(await engine.InspectNetworkAsync(name + "_internal", _limit.Token));
            Assert.False(await engine.RemoveVolumeAsync(name + "_data", _limit.Token), step);
            // Without any device so far there is no registry yet.
            var registry = Path.Combine(_folder, "agent", "data", "clients.json");
            if (File.Exists(registry)) Assert.DoesNotContain(name, await File.ReadAllTextAsync(registry, _limit.Token));
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _limit.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string OperationsFolder => Path.Combine(_folder, "agent", "data", "operations");

    private static JsonObject Device(string name) => new() { ["container_name"] = name, ["vnic_configs"] = new JsonArray() };

    private async Task<ProcessUnderTest> StartAgentAsync()
    {
        var agent = plant.StartOnHost(
            "agent", "--server", "https://127.0.0.1:3001", "--cert", Path.Combine(_folder, "id", "client.crt"), "--key", Path.Combine(_folder, "id", "client.key"),
            "--ca", Path.Combine(_folder, "id", "ca.crt"), "--data-dir", Path.Combine(_folder, "agent"), "--engine-socket", plant.SocketPath, "--pull", "IfNotPresent");
        await agent.LineAsync("connected to the hub", _limit.Token);
        return agent;
    }

    // The journal says how far the agent is; it is written before the step is begun.
    private async Task KillAtAsync(ProcessUnderTest agent, string name, string step, string method, string path, JsonObject? body = null)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var wanted = $"\"{step}\"";
        using var watch = new FileSystemWatcher(OperationsFolder, name.Replace(".", "%2E") + ".json") { EnableRaisingEvents = true };
        void Look(object sender, FileSystemEventArgs e)
        {
            try
            {
                if (File.ReadAllText(e.FullPath).Contains(wanted, StringComparison.Ordinal)) seen.TrySetResult();
            }
            catch (IOException)
            {
                // Replaced or gone already: the next event comes.
            }
        }
        watch.Created += Look;
        watch.Changed += Look;
        watch.Renamed += Look;
        var asking = CurlAsync(method, path, body);
        await seen.Task.WaitAsync(_limit.Token);
        agent.Kill();
        await agent.ExitAsync(_limit.Token);
        await asking;
    }

    private Task CurlAsync(string method, string path, JsonObject? body = null) => plant.RunAsync(_limit.Token, onHost: true,
        ["curl", "--silent", "--max-time", "60", "--request", method, .. body is null ? Array.Empty<string>() : ["--json", body.ToJsonString()], Api + path]);
}
