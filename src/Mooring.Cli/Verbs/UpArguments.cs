using System.CommandLine;
using Mooring.Chat.Configuration;
using Mooring.Cli.Configuration;
using Mooring.Cli.Hosting;
using Mooring.Cli.Telemetry;

namespace Mooring.Cli.Verbs;

/// <summary>The options of <c>mooring up</c>, and with them all settings of <c>mooring.json</c>: each is declared once, by the role it belongs to.</summary>
internal sealed class UpArguments
{
    private static readonly string[] Roles = ["mqtt", "fleet", "chat", "tunnel", "hub"];

    private readonly Option<string?> _config = new("--config")
    {
        Description = $"Configuration; without it {ConfigurationFile.Name} in the working directory or in the data folder.",
        HelpName = "FILE",
    };

    private readonly Option<bool> _demo = new("--demo")
    {
        Description = "Adds virtual cars and, where a container engine answers, an edge agent, so that there is something to look at.",
    };

    private readonly Option<string[]> _without = new ShapedOption<string[]>("--without", new SettingShape(SettingShape.Text, Choices: Roles, IsList: true))
    {
        Description = $"A role that is not run: {string.Join(", ", Roles)}. May be given more than once.",
        HelpName = "ROLE",
    };

    private readonly Option<string> _data = SharedOptions.Data();
    private readonly Option<LogLevel> _logLevel = SharedOptions.LogLevels(LogLevel.Warning);

    private readonly Option<string> _logFormat = SharedOptions.LogFormat();

    private readonly Option<Uri?> _otlp = OtlpArguments.Create();

    private UpArguments(Command command)
    {
        Table = new SettingTable(command);
        Table.Section("", option => option == _logLevel, _config, _demo, _data, _logLevel, _logFormat, _otlp, _without);
        Http = Table.Section("http", HttpArguments.AddTo);
        Broker = Table.Section("mqtt", target => BrokerArguments.AddTo(target, isAlone: false), (broker, option) => broker.Reloads(option));
        Fleet = Table.Section("fleet", UpFleet.AddTo, (_, _) => true);
        // The chat server says itself what of its settings waits for a restart.
        Chat = Table.Section("chat", UpChat.AddTo, (_, _) => true);
        Tunnel = Table.Section("tunnel", target => TunnelServerArguments.AddTo(target, isAlone: false));
        Hub = Table.Section("hub", target => HubArguments.AddTo(target, isAlone: false));
        Bridges = Table.Section("bridges", BridgeArguments.AddTo, (_, _) => true);
    }

    internal SettingTable Table { get; }

    internal HttpArguments Http { get; }

    internal BrokerArguments Broker { get; }

    internal UpFleet Fleet { get; }

    internal UpChat Chat { get; }

    internal TunnelServerArguments Tunnel { get; }

    internal HubArguments Hub { get; }

    internal BridgeArguments Bridges { get; }

    internal static UpArguments AddTo(Command command) => new(command);

    /// <param name="environment">The variables; null for those of the process.</param>
    internal ConfigurationReader Reader(IReadOnlyDictionary<string, string>? environment = null) => new(Table, _config, _data, environment);

    internal string DataFolder(ParseResult parsed) => parsed.GetValue(_data)!;

    internal LogLevel LevelOfLog(ParseResult parsed) => parsed.GetValue(_logLevel);

    internal FleetConfiguration ReadFleet(ParseResult parsed) => Fleet.Read(parsed, DataFolder(parsed), parsed.GetValue(_demo), Has(parsed, "mqtt"));

    internal ChatOptions ReadChat(ParseResult parsed) => Chat.Read(parsed, Broker.IsInMemory(parsed) ? null : DataFolder(parsed));

    /// <summary>Reads and checks all roles; what is wrong in any of them is told at once.</summary>
    /// <exception cref="UserErrorException">With everything that is wrong.</exception>
    internal UpOptions Read(ParseResult parsed)
    {
        var lines = new List<string>();
        var data = DataFolder(parsed);
        var options = new UpOptions
        {
            DataFolder = data,
            LogLevel = LevelOfLog(parsed),
            HasJsonLog = SharedOptions.IsJson(parsed.GetValue(_logFormat)),
            IsDemo = parsed.GetValue(_demo),
            Otlp = Part(() => OtlpArguments.Read(parsed, _otlp)),
            Http = Part(() => Http.Read(parsed))!,
            Broker = Role("mqtt", () => Broker.Read(parsed, data)),
            Fleet = Role("fleet", () => ReadFleet(parsed)),
            Chat = Role("chat", () => ReadChat(parsed)),
            Tunnel = Role("tunnel", () => Tunnel.Read(parsed)),
            Hub = Role("hub", () => Hub.Read(parsed, data)),
            Bridges = Part(() => Bridges.Read(parsed))!,
        };
        return lines.Count == 0 ? options : throw new UserErrorException(lines);

        T? Role<T>(string name, Func<T> read)
            where T : class => Has(parsed, name) ? Part(read) : null;

        T? Part<T>(Func<T?> read)
            where T : class
        {
            try
            {
                return read();
            }
            catch (Exception exception) when (CommandLine.Explain(exception) is { Count: > 0 } found)
            {
                lines.AddRange(found);
                return null;
            }
        }
    }

    private bool Has(ParseResult parsed, string role) => parsed.GetValue(_without)?.Contains(role, StringComparer.OrdinalIgnoreCase) != true;
}
