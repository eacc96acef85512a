using System.Text.Json;
using Mooring.Testing;

namespace Mooring.Edge.Tests;

/// <summary>How an agent comes to run: with an identity, without one, and beside everything else in <c>mooring up --demo</c>.</summary>
[Trait("Peer", "real")]
public sealed class AgentStartTests(PlantFloor plant) : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-start-").FullName;

    [Theory]
    [InlineData(null, "does not exist")]
    [InlineData("no certificate", "contains no certificate")]
    public async Task D31_WithoutIdentity_EndsWithCode78_AndSaysHowToGetOne(string? content, string reason)
    {
        var certificate = Path.Combine(_folder, "client.crt");
        if (content is not null)
        {
            await File.WriteAllTextAsync(certificate, content, TestTimeout);
            await File.WriteAllTextAsync(Path.Combine(_folder, "client.key"), content, TestTimeout);
        }
        await using var agent = ProcessUnderTest.Start(Path.Combine(AppContext.BaseDirectory, "mooring"),
            ["agent", "--cert", certificate, "--key", Path.Combine(_folder, "client.key"), "--data-dir", _folder]);
        Assert.Equal(78, await agent.ExitAsync(TestTimeout));
        var line = Assert.Single(agent.Lines);
        Assert.Contains(reason, line);
        Assert.Contains("mooring hub enroll", line);
    }

    [Fact]
    public async Task UpWithDemo_BesideAnEngine_EnrolsAndStartsAnAgent()
    {
        await plant.UpAsync(TestTimeout);
        await using var up = plant.StartBesideEngine(plant.SocketPath, "up", "--demo", "--data", _folder);
        Assert.Contains("demo, on the engine at", await up.LineAsync("edge agent", TestTimeout));
        await Eventually.TrueAsync(async () =>
        {
            var (_, output) = await plant.RunAsync(TestTimeout, onHost: true, "curl", "--silent", "http://127.0.0.1:7700/api/orchestrators/demo/interfaces");
            using var answer = JsonDocument.Parse(output);
            return answer.RootElement.TryGetProperty("interfaces", out var interfaces)
                && interfaces.EnumerateArray().Any(nic => nic.GetProperty("name").GetString() == "ens37");
        }, "the interfaces of this machine", TestTimeout);
        up.Terminate();
        Assert.Equal(0, await up.ExitAsync(TestTimeout));
    }

    [Fact]
    public async Task UpWithDemo_WithoutEngine_SaysHowToGetAnAgent()
    {
        await plant.UpAsync(TestTimeout);
        await using var up = plant.StartBesideEngine(Path.Combine(_folder, "none.sock"), "up", "--demo", "--data", _folder);
        Assert.Contains("no container engine answers at", await up.LineAsync("edge agent", TestTimeout));
        up.Terminate();
        Assert.Equal(0, await up.ExitAsync(TestTimeout));
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
