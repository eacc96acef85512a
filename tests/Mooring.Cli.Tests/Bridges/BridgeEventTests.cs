using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Mooring.Cli.Tests.Configuration;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Bridges;

/// <summary>What happens to real cars, agents and tunnels, each a process of its own, is told in chat rooms.</summary>
public sealed class BridgeEventTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-bridges-").FullName;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private ProcessUnderTest Run(params string[] arguments) =>
        Own(ProcessUnderTest.Start(UpRun.Program, arguments, new Dictionary<string, string?> { ["HOME"] = _folder }, _folder));

    [Fact]
    public async Task CarThatComesAndGoes_IsPosted()
    {
        var up = Own(await UpRun.StartAsync(_folder, TestTimeout, "--in-memory", "--without", "hub", "--bridges-room", "operations"));
        using var anna = await RoomClient.ConnectAsync(up, "HELLO operations:anna since=0", TestTimeout);
        var car = Run("car", "car_7", "--broker", $"mqtt://127.0.0.1:{Text(up.PortOf("MQTT"))}");
        Assert.Contains("car_7", await anna.UntilAsync("car_online", TestTimeout), StringComparison.Ordinal);
        car.Terminate();
        Assert.StartsWith("MSG operations:mooring fleet car_7", await anna.UntilAsync("car_offline", TestTimeout), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TunnelThatOpens_IsPosted_AndListedOnCommand()
    {
        var up = Own(await UpRun.StartAsync(_folder, TestTimeout, "--in-memory", "--without", "hub", "--bridges-room", "operations"));
        using var anna = await RoomClient.ConnectAsync(up, "HELLO operations:anna since=0\nSEND operations:anna /tunnels", TestTimeout);
        Assert.Equal("MSG operations:mooring no tunnels", await anna.UntilAsync("tunnels", TestTimeout));
        var client = Run("tunnel", "http", "9", "-s", "bridged", "--server", $"localhost:{Text(up.PortOf("tunnel"))}");
        Assert.Contains("bridged", await anna.UntilAsync("tunnel_opened", TestTimeout), StringComparison.Ordinal);
        await anna.SayAsync("SEND operations:anna /tunnels", TestTimeout);
        Assert.StartsWith("MSG operations:mooring http://bridged.localhost:", await anna.UntilAsync("request(s)", TestTimeout), StringComparison.Ordinal);
        client.Terminate();
        await anna.UntilAsync("tunnel_closed", TestTimeout);
    }

    [Fact]
    public async Task AgentThatComesAndGoes_IsPosted_AndItsRuntimesAreForThoseAllowed()
    {
        await File.WriteAllLinesAsync(Path.Combine(_folder, "tokens"), [$"alice member {Hash("alice-token")}", $"bob member {Hash("bob-token")}"], TestTimeout);
        await ConfigureAsync("""{ "chat": { "authTokensPath": "tokens" }, "bridges": { "room": "operations", "allow": ["alice"] } }""");
        var up = Own(await UpRun.StartAsync(_folder, TestTimeout, "--in-memory"));
        using var alice = await RoomClient.ConnectAsync(up, "AUTH alice-token\nHELLO operations:alice since=0", TestTimeout);
        Assert.Equal(0, await Run("hub", "enroll", "plant01", "--data", _folder).ExitAsync(TestTimeout));
        var files = Path.Combine(_folder, "plant01");
        var agent = Run(
            "agent", "--server", $"https://127.0.0.1:{Text(up.PortOf("hub for agents"))}", "--cert", Path.Combine(files, "client.crt"), "--key", Path.Combine(files, "client.key"),
            "--ca", Path.Combine(files, "ca.crt"), "--data-dir", Path.Combine(_folder, "agent"), "--engine-socket", Path.Combine(_folder, "no-engine.sock"), "--lan", "engine");
        Assert.StartsWith("MSG operations:mooring edge plant01 agent_online", await alice.UntilAsync("agent_online", TestTimeout), StringComparison.Ordinal);
        await alice.SayAsync("SEND operations:alice /agents", TestTimeout);
        Assert.StartsWith("MSG operations:mooring plant01: Online", await alice.UntilAsync("mooring plant01:", TestTimeout), StringComparison.OrdinalIgnoreCase);
        // Alice is allowed: the hub looks for the runtime, and the agent has none.
        await alice.SayAsync("SEND operations:alice /runtime plant01/plc restart", TestTimeout);
        Assert.DoesNotContain("may not", await alice.UntilAsync("plc", TestTimeout), StringComparison.Ordinal);
        using var bob = await RoomClient.ConnectAsync(up, "AUTH bob-token\nHELLO operations:bob\nSEND operations:bob /runtime plant01/plc restart", TestTimeout);
        Assert.Equal("MSG operations:mooring bob may not restart runtimes; bridges.allow names who may", await bob.UntilAsync("may not", TestTimeout));
        agent.Kill();
        Assert.StartsWith("MSG operations:mooring WARNING edge plant01 agent_offline", await alice.UntilAsync("agent_offline", TestTimeout), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Alarm_IsPostedInTheRoomOfItsRule()
    {
        // With a limit below what any process has, the broker raises its alarm at once.
        await File.WriteAllTextAsync(
            Path.Combine(_folder, "broker.json"), """{ "listeners": [{ "transport": "tcp", "port": 0 }], "limits": { "memoryBytes": 1048576 } }""", TestTimeout);
        await ConfigureAsync("""{ "bridges": { "room": "operations", "post": ["*:alarm=alarms"] } }""");
        var up = Own(await UpRun.StartAsync(_folder, TestTimeout, "--without", "hub", "--mqtt-config", Path.Combine(_folder, "broker.json")));
        using var anna = await RoomClient.ConnectAsync(up, "HELLO alarms:anna since=0", TestTimeout);
        Assert.StartsWith("MSG alarms:mooring ALARM broker memory memory_short", await anna.UntilAsync("memory_short", TestTimeout), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hangup_TakesRoomsAndRulesOver()
    {
        await ConfigureAsync("""{ "bridges": { "room": "operations", "post": ["fleet"] } }""");
        var up = Own(await UpRun.StartAsync(_folder, TestTimeout, "--in-memory", "--without", "hub", "--log-level", "Information"));
        using var anna = await RoomClient.ConnectAsync(up, "HELLO operations:anna", TestTimeout);
        await ConfigureAsync("""{ "bridges": { "room": "night", "post": ["tunnel=visitors"] } }""");
        up.Process.HangUp();
        await up.Process.LineAsync("bridges.room is", TestTimeout);
        // The new rooms are opened within the second in which events are gathered.
        using var http = UpRun.Client();
        foreach (var room in new[] { "night", "visitors" })
            await Eventually.TrueAsync(
                async () => (await http.GetStringAsync(new Uri(up.Console + "/api/chat/rooms"), TestTimeout)).Contains($"\"{room}\"", StringComparison.Ordinal), $"the room {room}", TestTimeout);
        using var night = await RoomClient.ConnectAsync(up, "JOIN night:eve\nJOIN visitors:eve", TestTimeout);
        await night.SayAsync("SEND night:eve /tunnels", TestTimeout);
        Assert.Equal("MSG night:mooring no tunnels", await night.UntilAsync("night:mooring", TestTimeout));
        Run("tunnel", "http", "9", "-s", "later", "--server", $"localhost:{Text(up.PortOf("tunnel"))}");
        Assert.StartsWith("MSG visitors:mooring ", await night.UntilAsync("tunnel_opened", TestTimeout), StringComparison.Ordinal);
        // The former room is answered no longer; the next line there is anna's own second message.
        await anna.SayAsync("SEND operations:anna /cars\nSEND operations:anna still here", TestTimeout);
        Assert.Equal("MSG operations:anna still here", await anna.UntilAsync("MSG operations:", TestTimeout));
    }

    private Task ConfigureAsync(string json) => File.WriteAllTextAsync(Path.Combine(_folder, "mooring.json"), json, TestTimeout);

    private static string Hash(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
}
