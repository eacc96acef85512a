using Mooring.Testing;

namespace Mooring.Cli.Tests.Configuration;

/// <summary>The configuration file with the real program.</summary>
public sealed class ConfigProcessTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-up-config-").FullName;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private Task WriteAsync(string json) => File.WriteAllTextAsync(Path.Combine(_folder, "mooring.json"), json, TestTimeout);

    private ProcessUnderTest Config(params string[] arguments) => Own(ProcessUnderTest.Start(UpRun.Program, ["config", .. arguments], folder: _folder));

    [Fact]
    public async Task Roles_AreSwitchedOffInTheFile()
    {
        await WriteAsync("""{ "without": ["chat", "tunnel", "hub", "mqtt", "fleet"] }""");
        await using var up = await UpRun.StartAsync(_folder, TestTimeout);
        Assert.DoesNotContain(up.Process.Lines, line => line.Contains("mqtt://", StringComparison.Ordinal) || line.Contains("chat", StringComparison.Ordinal));
        using var http = UpRun.Client();
        Assert.Equal("{\"status\":\"ready\",\"parts\":{}}", await http.GetStringAsync(new Uri(up.Console + "/health/ready"), TestTimeout));
        Assert.Equal(0, await up.StopAsync(TestTimeout));
    }

    [Theory]
    [InlineData("mqtt", "--without=fleet")]
    [InlineData("chat", "--in-memory")]
    [InlineData("tunnel", "--in-memory")]
    [InlineData("hub", "--in-memory")]
    [InlineData("fleet", "--in-memory")]
    public async Task EachRole_CanBeMissing(string role, string more)
    {
        await using var up = await UpRun.StartAsync(_folder, TestTimeout, "--without", role, more);
        using var http = UpRun.Client();
        Assert.DoesNotContain($"\"{role}\"", await http.GetStringAsync(new Uri(up.Console + "/health/ready"), TestTimeout), StringComparison.Ordinal);
        Assert.Equal(0, await up.StopAsync(TestTimeout));
    }

    [Fact]
    public async Task InMemory_LeavesNoHistoryOfTheRoomsBehind()
    {
        await using var up = await UpRun.StartAsync(_folder, TestTimeout, "--in-memory", "--without=hub", "--without=tunnel", "--without=fleet");
        Assert.Equal(0, await up.StopAsync(TestTimeout));
        Assert.Empty(Directory.EnumerateFiles(_folder, "chat.db*"));
    }

    [Fact]
    public async Task WithoutMqtt_TheFleetNeedsABroker()
    {
        var check = Config("check", "--without", "mqtt");
        Assert.Equal(1, await check.ExitAsync(TestTimeout));
        Assert.Equal(["mooring: without mqtt the external server needs --fleet-config, a configuration that names a broker"], check.Lines);
    }

    [Fact]
    public async Task Check_TellsTheMistakesOfAllRolesAtOnce()
    {
        await WriteAsync("""{ "mqtt": { "users": "gone" }, "tunnel": { "allow": ["nonsense"], "tcpPorts": "1-2" }, "fleet": { "config": "gone.json" } }""");
        var check = Config("check");
        Assert.Equal(1, await check.ExitAsync(TestTimeout));
        Assert.Equal(3, check.Lines.Count);
        foreach (var what in new[] { "gone: the file of users does not exist", "gone.json: the file does not exist", "allow: 'nonsense' is not allowed" })
            Assert.Contains(check.Lines, line => line.Contains(what, StringComparison.Ordinal));
        await WriteAsync("{}");
        var good = Config("check");
        Assert.Equal(0, await good.ExitAsync(TestTimeout));
        Assert.Equal(["mooring.json: good, 0 setting(s) given."], good.Lines);
    }

    [Fact]
    public async Task Show_NamesValueAndSource_AndUpRunsWithIt()
    {
        await WriteAsync("""{ "chat": { "adminToken": "s3cret", "maxClients": 7 } }""");
        var show = Config("show", "--mqtt-port", "0");
        Assert.Equal(0, await show.ExitAsync(TestTimeout));
        var lines = show.Lines.Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))).ToList();
        Assert.Contains("mqtt.port = 0 # --mqtt-port", lines);
        Assert.Contains("chat.maxClients = 7 # mooring.json", lines);
        Assert.Contains("chat.adminToken = (hidden) # mooring.json", lines);
        await using var up = await UpRun.StartAsync(_folder, TestTimeout);
        using var http = UpRun.Client();
        var port = up.PortOf("chat in a browser");
        Assert.Contains("7", await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/server/status"), TestTimeout), StringComparison.Ordinal);
    }

    [Fact]
    public async Task HangUp_TakesOverWhatCanChange_AndSaysWhatWaits()
    {
        await WriteAsync("""{ "logLevel": "Warning" }""");
        await using var up = await UpRun.StartAsync(_folder, TestTimeout);
        await WriteAsync("""{ "logLevel": "Information", "tunnel": { "baseDomain": "example.org" }, "chat": { "adminToken": "s3cret" } }""");
        up.Process.HangUp();
        await up.Process.LineAsync("configuration: logLevel is Information now", TestTimeout);
        await up.Process.LineAsync("configuration: tunnel.baseDomain becomes example.org at the next start", TestTimeout);
        await up.Process.LineAsync("configuration: chat.adminToken is (hidden) now", TestTimeout);
        await WriteAsync("""{ "logLevel": "loud" }""");
        up.Process.HangUp();
        await up.Process.LineAsync("the configuration stays as it was: " + "mooring.json: logLevel: 'loud' is not allowed", TestTimeout);
        Assert.Equal(0, await up.StopAsync(TestTimeout));
        Assert.DoesNotContain(up.Process.Lines, line => line.Contains("s3cret", StringComparison.Ordinal));
    }
}
