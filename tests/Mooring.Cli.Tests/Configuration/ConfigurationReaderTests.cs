using System.CommandLine;
using System.Text.Json;
using Mooring.Cli.Configuration;
using Mooring.Cli.Hosting;
using Mooring.Cli.Verbs;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Configuration;

/// <summary>The layers of the configuration of <c>mooring up</c>, and what it says of mistakes.</summary>
public sealed class ConfigurationReaderTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-config-").FullName;
    private readonly Dictionary<string, string> _environment = new(StringComparer.Ordinal);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private string File(string json)
    {
        var path = Path.Combine(_folder, "mooring.json");
        System.IO.File.WriteAllText(path, json);
        return path;
    }

    private EffectiveConfiguration Read(params string[] typed)
    {
        var command = new Command("up");
        var arguments = UpArguments.AddTo(command);
        return arguments.Reader(_environment).Read(command.Parse(typed));
    }

    private static SettingValue Value(EffectiveConfiguration configuration, string key) => configuration.Values.Single(value => value.Setting.Key == key);

    [Fact]
    public void Layers_TypedBeatsVariableBeatsFileBeatsDefault()
    {
        var file = File("""{ "mqtt": { "port": 1, "tlsPort": 2, "wsPort": 3 } }""");
        _environment["MOORING_MQTT_PORT"] = "11";
        _environment["MOORING_MQTT_TLS_PORT"] = "12";
        var configuration = Read("--config", file, "--mqtt-port", "21");
        Assert.Equal((string[])["21"], Value(configuration, "mqtt.port").Texts);
        Assert.Equal("--mqtt-port", Value(configuration, "mqtt.port").Source);
        Assert.Equal((string[])["12"], Value(configuration, "mqtt.tlsPort").Texts);
        Assert.Equal("MOORING_MQTT_TLS_PORT", Value(configuration, "mqtt.tlsPort").Source);
        Assert.Equal((string[])["3"], Value(configuration, "mqtt.wsPort").Texts);
        Assert.Equal(file, Value(configuration, "mqtt.wsPort").Source);
        Assert.Equal((string[])["6400"], Value(configuration, "tunnel.port").Texts);
        Assert.Equal("default", Value(configuration, "tunnel.port").Source);
    }

    [Fact]
    public void Lists_ComeFromAllLayersWhole()
    {
        var file = File("""{ "hub": { "name": ["a", "b"] }, "tunnel": { "allow": "10.0.0.0/8" } }""");
        Assert.Equal((string[])["a", "b"], Value(Read("--config", file), "hub.name").Texts);
        Assert.Equal((string[])["10.0.0.0/8"], Value(Read("--config", file), "tunnel.allow").Texts);
        _environment["MOORING_HUB_NAME"] = "c, d";
        Assert.Equal((string[])["c", "d"], Value(Read("--config", file), "hub.name").Texts);
        Assert.Equal((string[])["e"], Value(Read("--config", file, "--hub-name", "e"), "hub.name").Texts);
    }

    [Fact]
    public void AllMistakes_AreToldAtOnceWithTheirPath()
    {
        var file = File("""
            {
              // People write comments,
              "logLevel": "loud", "without": ["tnnel"],
              "mqtt": { "prot": 1, "port": 70000, "inMemory": "yes", "tlsCert": "" },
              "chat": { "maxClients": 0, "mode": 7 },
              "huub": {}, "demo": true, "demo": false, "fleet": [],
            }
            """);
        _environment["MOORING_TUNNEL_PORT"] = "x";
        var lines = Assert.Throws<UserErrorException>(() => Read("--config", file)).Lines;
        Assert.Equal(
        [
            "MOORING_TUNNEL_PORT: 'x' is not allowed: use 0 to 65535",
            $"{file}: huub: unknown key; did you mean 'hub'?",
            $"{file}: demo: is given twice",
            $"{file}: logLevel: 'loud' is not allowed: use Critical, Debug, Error, Information, None, Trace, Warning",
            $"{file}: without[0]: 'tnnel' is not allowed: use mqtt, fleet, chat, tunnel, hub",
            $"{file}: mqtt.prot: unknown key; did you mean 'port'?",
            $"{file}: mqtt.port: '70000' is not allowed: use 0 to 65535",
            $"{file}: mqtt.tlsCert: must not be empty; leave the key out for the default",
            $"{file}: mqtt.inMemory: 'yes' is not allowed: use true or false",
            $"{file}: fleet: '[...]' is not allowed: use an object {{ ... }}",
            $"{file}: chat.mode: '7' is not allowed: use socket, http, both",
            $"{file}: chat.maxClients: '0' is not allowed: use 1 to 10000000",
        ], lines);
    }

    [Theory]
    [InlineData("", "not valid JSON at line 1")]
    [InlineData("[]", "use an object { ... }")]
    [InlineData("{ \"config\": \"other.json\" }", "config: cannot stand in the file itself")]
    [InlineData("{ \"mqtt\": { \"port\": 1", "not valid JSON at line 1")]
    [InlineData("{ \"mqtt\": { \"port\": 1.5 } }", "mqtt.port: '1.5' is not allowed: use 0 to 65535")]
    [InlineData("{ \"mqtt\": { \"port\": 99999999999999999999 } }", "mqtt.port: '99999999999999999999' is not allowed: use 0 to 65535")]
    [InlineData("{ \"hub\": { \"name\": [ [] ] } }", "hub.name[0]: '[...]' is not allowed")]
    public void FileOfAnotherShape_IsOneLine(string json, string expected)
    {
        var file = File(json);
        var line = Assert.Single(Assert.Throws<UserErrorException>(() => Read("--config", file)).Lines);
        Assert.StartsWith(file + ": ", line, StringComparison.Ordinal);
        Assert.Contains(expected, line, StringComparison.Ordinal);
    }

    [Fact]
    public void MissingFile_IsNamed() => Assert.Equal(
        ["nowhere.json: the file does not exist"], Assert.Throws<UserErrorException>(() => Read("--config", "nowhere.json")).Lines);

    [Fact]
    public void FileInTheDataFolder_IsFound_AndFilesLieBesideIt()
    {
        File("""{ "mqtt": { "users": "users" , "access": "/etc/access.json" } }""");
        var configuration = Read("--data", _folder);
        Assert.Equal(Path.Combine(_folder, "mooring.json"), configuration.File);
        Assert.Equal((string[])[Path.Combine(_folder, "users")], Value(configuration, "mqtt.users").Texts);
        Assert.Equal((string[])["/etc/access.json"], Value(configuration, "mqtt.access").Texts);
    }

    [Fact]
    public void UnknownVariable_WarnsWhenOneIsNear()
    {
        _environment["MOORING_TUNEL_PORT"] = "1";
        _environment["MOORING_SERVICE_HOST"] = "10.0.0.1";
        Assert.Equal(["the variable MOORING_TUNEL_PORT is unknown; did you mean MOORING_TUNNEL_PORT?"], Read().Warnings);
    }

    [Fact]
    public void Secrets_AreNotShown()
    {
        var file = File("""{ "chat": { "adminToken": "s3cret" }, "tunnel": { "token": ["t0ken"] }, "hub": { "database": "Host=h;Password=pw1" } }""");
        _environment["MOORING_CHAT_HISTORY_STORE"] = "postgresql://u:pw2@h/db";
        var shown = string.Join('\n', Read("--config", file).Values.Select(value => value.Shown));
        foreach (var secret in new[] { "s3cret", "t0ken", "pw1", "pw2" }) Assert.DoesNotContain(secret, shown, StringComparison.Ordinal);
        Assert.Contains("postgresql://u:(hidden)@h/db", shown, StringComparison.Ordinal);
    }

    [Fact]
    public void WrongSecret_IsNotRepeated()
    {
        var file = File("""{ "chat": { "adminToken": ["s3cret"] } }""");
        Assert.DoesNotContain("s3cret", string.Join('\n', Assert.Throws<UserErrorException>(() => Read("--config", file)).Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void RandomFiles_AreReadOrRefusedInLines()
    {
        const string Good = """{ "logLevel": "Error", "mqtt": { "port": 1, "users": "u" }, "hub": { "name": ["a"] }, "chat": { "maxClients": 5 } }""";
        var random = new Random(20_261);
        var command = new Command("up");
        var table = UpArguments.AddTo(command).Table;
        for (var i = 0; i < 2_000; i++)
        {
            var text = Good.ToCharArray();
            for (var change = random.Next(1, 6); change > 0; change--) text[random.Next(text.Length)] = (char)random.Next(32, 127);
            var errors = new Mooring.Kernel.Options.OptionsErrors();
            try
            {
                ConfigurationFile.Read(File(new string(text, 0, random.Next(text.Length + 1))), table, errors);
            }
            catch (Mooring.Kernel.Options.ConfigurationException exception)
            {
                Assert.DoesNotContain('\n', exception.Message);
            }
        }
    }

    [Fact]
    public void Settings_HaveUniqueNamesAndDescriptions()
    {
        var settings = UpArguments.AddTo(new Command("up")).Table.All;
        Assert.Equal(settings.Count, settings.Select(setting => setting.Key).Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.Equal(settings.Count, settings.Select(setting => setting.Variable).Distinct().Count());
        Assert.All(settings, setting => Assert.False(string.IsNullOrWhiteSpace(setting.Option.Description)));
    }

    [Fact]
    public void EverySetting_IsInTheOperatingGuideWithItsDefault()
    {
        var guide = System.IO.File.ReadAllText(RepositoryRoot.Combine("docs/operating/configuration.md"));
        var missing = from setting in UpArguments.AddTo(new Command("up")).Table.All
                      let row = $"| `{setting.Key}` | {(setting.Standard.Count == 0 ? "" : $"`{setting.Standard[0]}`")} |"
                      where !guide.Contains(row, StringComparison.Ordinal)
                      select $"{row} {setting.Option.Description} |{(setting.Reloads ? " yes" : "")} |";
        var rows = string.Join('\n', missing);
        Assert.True(rows.Length == 0, $"add to docs/operating/configuration.md:\n{rows}");
    }

    [Fact]
    public void Schema_HasEverySettingWithTypeRangeAndDefault()
    {
        var table = UpArguments.AddTo(new Command("up")).Table;
        using var schema = JsonDocument.Parse(ConfigurationSchema.Write(table));
        var root = schema.RootElement;
        Assert.Equal("https://json-schema.org/draft/2020-12/schema", root.GetProperty("$schema").GetString());
        Assert.False(root.GetProperty("additionalProperties").GetBoolean());
        foreach (var setting in table.All.Where(setting => setting.Key != "config"))
        {
            var owner = setting.Section.Length == 0 ? root : root.GetProperty("properties").GetProperty(setting.Section);
            var property = owner.GetProperty("properties").GetProperty(setting.Name);
            Assert.Contains(setting.Variable, property.GetProperty("description").GetString(), StringComparison.Ordinal);
        }
        var port = root.GetProperty("properties").GetProperty("mqtt").GetProperty("properties").GetProperty("port");
        Assert.Equal((0, 65_535, 1883), (port.GetProperty("minimum").GetInt32(), port.GetProperty("maximum").GetInt32(), port.GetProperty("default").GetInt32()));
    }
}
