using Mooring.Edge.Hub;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent;

/// <summary><c>mooring agent --check</c>, as a program.</summary>
public sealed class AgentCheckTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-check-").FullName;

    [Theory]
    [InlineData("hub.example.org", "hub.example.org:443")]
    [InlineData("hub.example.org:3001", "hub.example.org:3001")]
    [InlineData("https://hub.example.org:3001", "hub.example.org:3001")]
    public async Task AgentThatCouldRun_IsToldWithAllThatItNeeds(string server, string told)
    {
        await using var engine = await PlayedEngine.StartAsync(new PlayedEngine { SocketPath = Path.Combine(_folder, "engine.sock") });
        await HubCommands.EnrolAsync(new HubOptions { Folder = Path.Combine(_folder, "hub") }, "plant01", null, _folder, mustBeKnown: false, TestTimeout);
        var (code, lines) = await CheckAsync("--server", server);
        Assert.Equal(0, code);
        Assert.StartsWith($"good identity: agent plant01 for {told.Replace(":443", "", StringComparison.Ordinal)}, its certificate ends on 20", lines[0]);
        Assert.Equal(["good policy: none, hubs may do everything", $"good engine: API 1.41 at {engine.SocketPath}"], lines.Skip(1).Take(2));
        Assert.StartsWith("good network monitor: none at ", lines[3]);
    }

    [Fact]
    public async Task EverythingThatIsWrong_IsToldAtOnce()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "policy.json"), "{", TestTimeout);
        var (code, lines) = await CheckAsync();
        Assert.Equal(1, code);
        Assert.Equal(["bad  identity", "bad  policy", "bad  engine", "good network monitor"], lines.Select(line => line.Split(':')[0]));
    }

    [Theory]
    [InlineData("ftp://hub.example.org")]
    [InlineData("http://hub.example.org")]
    [InlineData("https://")]
    public async Task AddressThatIsNone_IsRefused(string server)
    {
        var (code, lines) = await CheckAsync("--server", server);
        Assert.Equal(2, code);
        Assert.Contains(lines, line => line.Contains($"'{server}' is not an address such as https://hub.example.org:3001", StringComparison.Ordinal));
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<(int Code, IReadOnlyList<string> Lines)> CheckAsync(params string[] more)
    {
        await using var agent = ProcessUnderTest.Start(Path.Combine(AppContext.BaseDirectory, "mooring"),
        [
            "agent", "--check", "--cert", Path.Combine(_folder, "client.crt"), "--key", Path.Combine(_folder, "client.key"), "--ca", Path.Combine(_folder, "ca.crt"),
            "--data-dir", _folder, "--engine-socket", Path.Combine(_folder, "engine.sock"), .. more,
        ]);
        return (await agent.ExitAsync(TestTimeout), agent.Lines);
    }
}
