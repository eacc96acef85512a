using System.Security.Cryptography;
using System.Text;
using Mooring.Cli.Tests.Configuration;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Bridges;

/// <summary>The bridges of the real program, seen by clients that speak lines over TCP.</summary>
public sealed class BridgeProcessTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-bridges-").FullName;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Cars_that_come_are_posted_in_the_room_and_commands_there_are_answered()
    {
        var up = Own(await UpRun.StartAsync(_folder, TestTimeout, "--demo", "--in-memory", "--without", "hub", "--bridges-room", "operations"));
        using var anna = await RoomClient.ConnectAsync(up, "HELLO operations:anna since=0", TestTimeout);
        await anna.UntilAsync("car_online", TestTimeout);
        await anna.SayAsync("SEND operations:anna /car demo_1", TestTimeout);
        Assert.StartsWith("MSG operations:mooring demo_1: ", await anna.UntilAsync("mooring demo_1:", TestTimeout), StringComparison.Ordinal);
        await anna.SayAsync("SEND operations:anna /agents", TestTimeout);
        Assert.Equal("MSG operations:mooring the hub is not a part of this process", await anna.UntilAsync("the hub", TestTimeout));
        await anna.SayAsync("SEND operations:anna /runtime plc restart", TestTimeout);
        Assert.Equal("MSG operations:mooring anna: restarting is for accounts; present a token (AUTH) first", await anna.UntilAsync("restarting", TestTimeout));
        // Nobody passes for the program.
        using var eve = await RoomClient.ConnectAsync(up, "HELLO operations:Mooring", TestTimeout);
        await eve.UntilAsync("reserved-id", TestTimeout);
        Assert.Equal(0, await up.StopAsync(TestTimeout));
    }

    [Fact]
    public async Task Accounts_that_are_listed_reach_the_hub_and_others_are_told_why_not()
    {
        await File.WriteAllLinesAsync(
            Path.Combine(_folder, "tokens"), [$"alice member {Hash("alice-token")}", $"bob member {Hash("bob-token")}"], TestTimeout);
        await File.WriteAllTextAsync(
            Path.Combine(_folder, "mooring.json"),
            """{ "chat": { "authTokensPath": "tokens" }, "bridges": { "room": "operations", "post": ["*:alarm"], "allow": ["alice"] } }""", TestTimeout);
        var up = Own(await UpRun.StartAsync(_folder, TestTimeout, "--in-memory"));
        using var bob = await RoomClient.ConnectAsync(up, "AUTH bob-token\nHELLO operations:bob\nSEND operations:bob /runtime plc restart", TestTimeout);
        Assert.Equal("MSG operations:mooring bob may not restart runtimes; bridges.allow names who may", await bob.UntilAsync("may not", TestTimeout));
        using var alice = await RoomClient.ConnectAsync(up, "AUTH alice-token\nHELLO operations:alice\nSEND operations:alice /runtime plc restart", TestTimeout);
        Assert.Equal("MSG operations:mooring there is no runtime 'plc'", await alice.UntilAsync("there is no runtime", TestTimeout));
        Assert.Equal(0, await up.StopAsync(TestTimeout));
    }

    [Fact]
    public async Task Wrong_rule_is_named_with_its_place()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "mooring.json"), """{ "bridges": { "room": "a b", "post": ["cars"] } }""", TestTimeout);
        var up = Own(UpRun.Begin(_folder, ["--in-memory"]));
        Assert.Equal(1, await up.Process.ExitAsync(TestTimeout));
        Assert.Contains(up.Process.Lines, line => line.Contains("bridges.room: 'a b' is no name", StringComparison.Ordinal));
        Assert.Contains(up.Process.Lines, line => line.Contains("bridges.post: 'cars' is no system", StringComparison.Ordinal));
    }

    private static string Hash(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}
