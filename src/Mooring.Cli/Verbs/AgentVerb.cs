using System.Collections.ObjectModel;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Reflection;
using Mooring.Cli.Configuration;
using Mooring.Cli.Hosting;
using Mooring.Edge.Agent;
using Mooring.Edge.Agent.Upgrade;
using Mooring.Edge.Logs;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring agent</c>: the daemon on an edge host, with the log levels of the original.</summary>
internal sealed class AgentVerb
{
    private static readonly AgentOptions Defaults = new();

    private readonly Option<Uri> _server = new("--server")
    {
        Description = "Address of the hub.",
        HelpName = "URL",
        CustomParser = ParseServer,
        DefaultValueFactory = _ => Defaults.Server,
    };

    private readonly Option<string> _data = Text("--data-dir", "Folder of the agent's state, shared with the network monitor.", "FOLDER", Defaults.DataFolder);
    private readonly Option<string> _certificate = Text("--cert", "PEM file of the agent's certificate; its common name is the agent's id.", "FILE", Defaults.CertificateFile);
    private readonly Option<string> _key = Text("--key", "PEM file of its key.", "FILE", Defaults.KeyFile);
    private readonly Option<string?> _authority = new("--ca") { Description = "PEM file of the authorities that may sign the hub's certificate; the system's without.", HelpName = "FILE" };
    private readonly Option<string> _engine = Text("--engine-socket", "Unix socket of the container engine.", "PATH", Defaults.EngineSocket);
    private readonly Option<string?> _monitor = new("--netmon-socket") { Description = "Unix socket of the network monitor; netmon.sock in the data folder without.", HelpName = "PATH" };
    private readonly Option<LanMode> _lan = new("--lan") { Description = "Who makes the devices' interfaces: monitor or engine.", DefaultValueFactory = _ => Defaults.Lan };
    private readonly Option<PullPolicy> _pull = new("--pull") { Description = "When images are fetched: Always or IfNotPresent.", DefaultValueFactory = _ => Defaults.Pull };
    private readonly Option<string?> _policy = new("--policy") { Description = "What hubs may do on this machine, JSON; policy.json in the data folder without.", HelpName = "FILE" };
    private readonly Option<string?> _ociRuntime = new("--oci-runtime") { Description = "What the engine runs devices with, such as crun; its usual one without.", HelpName = "NAME" };
    private readonly Option<int?> _crashRetry = new ShapedOption<int?>("--crash-retry", new SettingShape(SettingShape.Integer, 1, 1440)) { Description = "Minutes after which a device that was given up is tried again; without, an operator must start it.", HelpName = "MINUTES" };
    private readonly Option<bool> _zonedTimes = new("--zoned-times") { Description = "Times for hubs with their zone; hubs of earlier agents read local times." };
    private readonly Option<bool> _pinRuntimes = new("--pin-runtimes") { Description = "Keep the first certificate of each device's container, and refuse it another one later." };
    private readonly Option<int?> _metricsPort = new ShapedOption<int?>("--metrics-port", new SettingShape(SettingShape.Integer, 1, 65_535)) { Description = "Port of 127.0.0.1 with a page for Prometheus; none without.", HelpName = "PORT" };
    private readonly Option<string?> _config = new("--config") { Description = "JSON file with these settings; an option that is given here wins over it.", HelpName = "FILE" };
    private readonly Option<bool> _check = new("--check") { Description = "Look whether an agent could run so, print what was found, and end." };
    private readonly Option<LogLevel> _logLevel = SharedOptions.OriginalLogLevels();
    private readonly Option<string> _logFormat = SharedOptions.LogFormat();

    private readonly SettingTable _settings;

    internal AgentVerb()
    {
        Command = new Command("agent", "Runs the agent of an edge host: makes, runs and watches PLC runtimes in containers for a hub.");
        _settings = new SettingTable(Command);
        // Each of these can stand in the file too, by its name in camelCase.
        _settings.Section("", reloads: null,
            _config, _server, _data, _certificate, _key, _authority, _engine, _monitor, _lan, _pull, _policy, _ociRuntime, _crashRetry, _zonedTimes, _pinRuntimes, _metricsPort, _logLevel, _logFormat);
        Command.Options.Add(_check);
        Command.SetAction((typed, cancellationToken) =>
        {
            if (AgentUpgraderOptions.FromEnvironment() is { } upgrade) return UpgradeAsync(upgrade, typed.GetValue(_logLevel), cancellationToken);
            var (options, level, isJsonLog) = Read(typed);
            if (typed.GetValue(_check)) return CheckAsync(options, cancellationToken);
            var host = DaemonHost.Create(new LogFileOptions { Folder = options.DataFolder, Name = "orchestrator", Level = level, IsJson = isJsonLog });
            host.Services.AddEdgeAgent(options);
            return host.RunAsync(cancellationToken);
        });
    }

    internal Command Command { get; }

    internal static Command Create() => new AgentVerb().Command;

    /// <summary>The agent's settings: what was typed, else what stands in the file, else the defaults.</summary>
    /// <exception cref="UserErrorException">With everything that is wrong in the file.</exception>
    internal (AgentOptions Options, LogLevel Level, bool IsJsonLog) Read(ParseResult typed)
    {
        var settled = typed.GetValue(_config) is null ? typed : WithFile(typed);
        return (OptionsOf(settled), settled.GetValue(_logLevel), SharedOptions.IsJson(settled.GetValue(_logFormat)));
    }

    private ParseResult WithFile(ParseResult typed)
    {
        try
        {
            return new ConfigurationReader(_settings, _config, data: null, ReadOnlyDictionary<string, string>.Empty).Read(typed).Parsed;
        }
        catch (UserErrorException wrong)
        {
            throw new UserErrorException(wrong.Lines) { Code = ExitCode.Settings };
        }
    }

    /// <summary>In the container that an agent starts to have itself replaced.</summary>
    private static async Task<int> UpgradeAsync(AgentUpgraderOptions options, LogLevel level, CancellationToken cancellationToken)
    {
        using var loggers = LoggerFactory.Create(logging => logging.SetMinimumLevel(level).AddSimpleConsole(console => console.SingleLine = true));
        return await AgentUpgrader.RunAsync(options, TimeProvider.System, loggers, cancellationToken) is null ? ExitCode.Success : ExitCode.Failure;
    }

    private static async Task<int> CheckAsync(AgentOptions options, CancellationToken cancellationToken)
    {
        var findings = await AgentCheck.RunAsync(options, TimeProvider.System, cancellationToken);
        foreach (var finding in findings) Console.WriteLine($"{(finding.IsGood ? "good" : "bad ")} {finding.Text}");
        return findings.All(finding => finding.IsGood) ? ExitCode.Success : ExitCode.Failure;
    }

    private AgentOptions OptionsOf(ParseResult parsed) => new()
    {
        Server = parsed.GetValue(_server)!,
        DataFolder = parsed.GetValue(_data)!,
        CertificateFile = parsed.GetValue(_certificate)!,
        KeyFile = parsed.GetValue(_key)!,
        AuthorityFile = parsed.GetValue(_authority),
        EngineSocket = parsed.GetValue(_engine)!,
        MonitorSocket = parsed.GetValue(_monitor),
        Lan = parsed.GetValue(_lan),
        Pull = parsed.GetValue(_pull),
        PolicyFile = parsed.GetValue(_policy),
        OciRuntime = parsed.GetValue(_ociRuntime),
        CrashRetry = parsed.GetValue(_crashRetry) is { } minutes ? TimeSpan.FromMinutes(minutes) : null,
        ZonedTimes = parsed.GetValue(_zonedTimes),
        PinsRuntimes = parsed.GetValue(_pinRuntimes),
        MetricsPort = parsed.GetValue(_metricsPort),
        Version = Environment.GetEnvironmentVariable("AGENT_VERSION")
            ?? typeof(AgentVerb).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown",
    };

    private static Uri? ParseServer(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (!text.Contains("://", StringComparison.Ordinal)) text = "https://" + text;
        if (Uri.TryCreate(text, UriKind.Absolute, out var server) && server.Scheme == Uri.UriSchemeHttps) return server;
        result.AddError($"--server: '{result.Tokens[0].Value}' is not an address such as https://hub.example.org:3001");
        return null;
    }

    private static Option<string> Text(string name, string description, string help, string standard) =>
        new(name) { Description = description, HelpName = help, DefaultValueFactory = _ => standard };
}
