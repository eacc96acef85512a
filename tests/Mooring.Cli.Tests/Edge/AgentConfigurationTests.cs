using Mooring.Cli.Configuration;
using Mooring.Cli.Hosting;
using Mooring.Cli.Verbs;
using Mooring.Edge.Agent;
using Mooring.Testing;
using Microsoft.Extensions.Logging;

namespace Mooring.Cli.Tests.Edge;

/// <summary>The agent's settings in a file.</summary>
public sealed class AgentConfigurationTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-agent-config-").FullName;

    private string ConfigFile => Path.Combine(_folder, "agent.json");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void EverySetting_Arrives()
    {
        var (options, level, isJsonLog) = Read("""
            {
              // As people write it.
              "server": "hub.example.org:3001", "dataDir": "/srv/agent", "cert": "client.crt", "key": "~/client.key", "ca": "/etc/ca.crt",
              "engineSocket": "/run/engine.sock", "netmonSocket": "monitor.sock", "lan": "engine", "pull": "IfNotPresent", "policy": "policy.json",
              "ociRuntime": "crun", "crashRetry": 30, "zonedTimes": true, "pinRuntimes": true, "metricsPort": 9101, "logLevel": "WARNING", "logFormat": "json",
            }
            """);
        Assert.Equal(LogLevel.Warning, level);
        Assert.True(isJsonLog);
        Assert.Equal(
            new AgentOptions
            {
                Server = new Uri("https://hub.example.org:3001"), DataFolder = "/srv/agent", CertificateFile = Path.Combine(_folder, "client.crt"), KeyFile = "~/client.key",
                AuthorityFile = "/etc/ca.crt", EngineSocket = "/run/engine.sock", MonitorSocket = Path.Combine(_folder, "monitor.sock"), Lan = LanMode.Engine,
                Pull = PullPolicy.IfNotPresent, PolicyFile = Path.Combine(_folder, "policy.json"), OciRuntime = "crun", CrashRetry = TimeSpan.FromMinutes(30),
                ZonedTimes = true, PinsRuntimes = true, MetricsPort = 9101, Version = options.Version,
            },
            options);
    }

    [Fact]
    public void EveryOption_ButTheOnesOfTheCommandLineAlone_IsASetting()
    {
        // Each key with a value of no setting's type: what is not told as unknown is read.
        var names = new AgentVerb().Command.Options.Select(option => Setting.Of("", option, reloads: false).Name).Except(["check", "config"]).ToList();
        var told = Assert.Throws<UserErrorException>(() => Read("{" + string.Join(',', names.Select(name => $"\"{name}\": []")) + "}")).Lines;
        Assert.Equal(names.Order(), told.Select(line => line.Split(": ")[1]).Order());
        Assert.DoesNotContain(told, line => line.Contains("unknown", StringComparison.Ordinal));
    }

    [Fact]
    public void CommandLine_WinsOverTheFile()
    {
        var (options, level, isJsonLog) = Read(
            """{ "server": "https://file:1", "pull": "IfNotPresent", "crashRetry": 30, "zonedTimes": true, "logLevel": "ERROR", "ociRuntime": "crun" }""",
            "--server", "typed:2", "--pull", "Always", "--crash-retry", "5", "--zoned-times=false", "-l", "DEBUG");
        Assert.Equal(new AgentOptions { Server = new Uri("https://typed:2"), CrashRetry = TimeSpan.FromMinutes(5), OciRuntime = "crun", Version = options.Version }, options);
        Assert.Equal(LogLevel.Debug, level);
        Assert.False(isJsonLog);
    }

    [Fact]
    public void EmptyFile_LeavesTheDefaults()
    {
        var (options, level, isJsonLog) = Read("{}");
        Assert.Equal(new AgentOptions { Version = options.Version }, options);
        Assert.Equal(LogLevel.Information, level);
        Assert.False(isJsonLog);
    }

    [Fact]
    public async Task FiveErrors_AreToldAtOnce()
    {
        Write("""{ "server": "ftp://hub", "lan": "both", "crashRetry": 0, "zonedTimes": "yes", "logLevel": "loud" }""");
        await EndsAsync(
            $"mooring: {ConfigFile}: lan: 'both' is not allowed: use Engine, Monitor",
            $"mooring: {ConfigFile}: crashRetry: '0' is not allowed: use 1 to 1440",
            $"mooring: {ConfigFile}: zonedTimes: 'yes' is not allowed: use true or false",
            $"mooring: {ConfigFile}: server: 'ftp://hub' is not an address such as https://hub.example.org:3001",
            $"mooring: {ConfigFile}: logLevel: 'loud' is not allowed: DEBUG, INFO, WARNING, ERROR or CRITICAL");
    }

    [Fact]
    public async Task UnknownKey_IsToldWithTheNearest()
    {
        Write("""{ "dataDri": "/srv" }""");
        await EndsAsync($"mooring: {ConfigFile}: dataDri: unknown key; did you mean 'dataDir'?");
    }

    [Fact]
    public Task MissingFile_IsTold() => EndsAsync($"mooring: {ConfigFile}: the file does not exist");

    [Fact]
    public async Task BrokenJson_IsToldWithItsLine()
    {
        Write("{\n  \"lan\": \"engine\",\n  \"pull\" \"Always\"\n}");
        var agent = Agent("--config", ConfigFile);
        Assert.Equal(ExitCode.Settings, await agent.ExitAsync(TestTimeout));
        Assert.StartsWith($"mooring: {ConfigFile}: not valid JSON at line 3, column 10: ", Assert.Single(agent.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_LooksAtWhatTheFileSays()
    {
        Write("""{ "engineSocket": "none.sock", "cert": "none.crt", "key": "none.key", "dataDir": "." }""");
        var check = Agent("--check", "--config", ConfigFile);
        Assert.Equal(ExitCode.Failure, await check.ExitAsync(TestTimeout));
        Assert.Contains(check.Lines, line => line.StartsWith("bad  identity", StringComparison.Ordinal) && line.Contains(Path.Combine(_folder, "none.crt"), StringComparison.Ordinal));
        Assert.Contains(check.Lines, line => line.StartsWith("bad  engine", StringComparison.Ordinal) && line.Contains(Path.Combine(_folder, "none.sock"), StringComparison.Ordinal));
    }

    [Fact]
    public async Task FileOfAnotherVerb_IsNotReadUnlessNamed()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "mooring.json"), """{ "without": ["chat"] }""", TestTimeout);
        var check = Agent("--check", "--data-dir", _folder, "--cert", "none.crt", "--engine-socket", "none.sock");
        Assert.Equal(ExitCode.Failure, await check.ExitAsync(TestTimeout));
        Assert.DoesNotContain(check.Lines, line => line.Contains("mooring.json", StringComparison.Ordinal));
    }

    private void Write(string json) => File.WriteAllText(ConfigFile, json);

    private (AgentOptions Options, LogLevel Level, bool IsJsonLog) Read(string json, params string[] typed)
    {
        Write(json);
        var verb = new AgentVerb();
        return verb.Read(verb.Command.Parse(["--config", ConfigFile, .. typed]));
    }

    private ProcessUnderTest Agent(params string[] arguments) =>
        Own(ProcessUnderTest.Start(Path.Combine(AppContext.BaseDirectory, "mooring"), ["agent", .. arguments], folder: _folder));

    /// <summary>A start, and a check, both end with these lines.</summary>
    private async Task EndsAsync(params string[] lines)
    {
        foreach (string[] more in new string[][] { [], ["--check"] })
        {
            var agent = Agent(["--config", ConfigFile, .. more]);
            Assert.Equal(ExitCode.Settings, await agent.ExitAsync(TestTimeout));
            Assert.Equal(lines, agent.Lines);
        }
    }
}
