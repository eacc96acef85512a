using System.Net;
using Mooring.Chat.Configuration;
using Mooring.Kernel.Options;

namespace Mooring.Chat.Tests.Configuration;

/// <summary>Four layers, and what is wrong in them.</summary>
public sealed class ChatConfigurationTests : IDisposable
{
    private static readonly Dictionary<string, string> Nothing = [];

    private readonly string _folder = Directory.CreateTempSubdirectory("chat-").FullName;

    public static TheoryData<string, string> Samples { get; } = new(ChatKeys.All.Select(key => (key.Name, Sample(key))));

    [Theory]
    [MemberData(nameof(Samples))]
    public void C29_every_key_is_taken_from_the_first_layer_that_has_it(string name, string value)
    {
        var key = ChatKeys.All.Single(candidate => candidate.Name == name);
        var file = WriteFile($"[chatserver]\n{name} = {value}\n");
        // What the key needs beside itself.
        Dictionary<string, string> others = name switch
        {
            "jwt_issuer" or "jwt_audience" => new() { ["jwt_key_path"] = "/some/file" },
            "client_ca_path" => new() { ["use_ssl"] = "true", ["cert_path"] = "/some/file" },
            _ => Nothing,
        };
        string Source(bool commandLine, bool environment, bool hasFile) => ChatConfiguration.Load(
            commandLine ? new Dictionary<string, string>(others) { [name] = value } : others,
            hasFile ? file : WriteFile(""), variable => environment && variable == key.Variable ? value : null,
            isStrict: true).Settings.Single(setting => setting.Key == key).Source;

        Assert.Equal("command line", Source(true, true, true));
        Assert.Equal("command line", Source(true, true, false));
        Assert.Equal("command line", Source(true, false, true));
        Assert.Equal("command line", Source(true, false, false));
        Assert.Equal($"environment {key.Variable}", Source(false, true, true));
        Assert.Equal($"environment {key.Variable}", Source(false, true, false));
        Assert.Equal(file, Source(false, false, true));
        Assert.Equal("default", Source(false, false, false));
    }

    [Fact]
    public void A_reload_takes_everything_but_what_was_opened_at_the_start_and_names_that()
    {
        var running = new ChatOptions();
        foreach (var key in ChatKeys.All)
        {
            var wanted = key.Apply(running, Sample(key));
            var taken = running.ReloadedFrom(wanted);
            var isTaken = ChatKeys.NamesOfDifferences(taken, wanted) == "nothing";
            var isNamed = ChatKeys.NamesOfDifferences(taken, wanted).Contains(key.Name, StringComparison.Ordinal);
            Assert.True(isTaken || isNamed, key.Name);
            if (isTaken) Assert.Equal(wanted with { Limits = taken.Limits, CorsOrigins = taken.CorsOrigins, Sockets = taken.Sockets }, taken);
        }
    }

    [Fact]
    public void Defaults_are_those_that_are_shown()
    {
        var defaults = ChatConfiguration.Load(Nothing, WriteFile(""), _ => null, isStrict: true).Options;
        var written = ChatKeys.All.Where(key => key.Standard.Length > 0).ToDictionary(key => key.Name, key => key.Standard);
        var options = ChatConfiguration.Load(written, WriteFile(""), _ => null, isStrict: true).Options;
        Assert.Equal(defaults.Limits, options.Limits);
        Assert.Equal(defaults.Sockets, options.Sockets);
        Assert.Equal(
            defaults with { Limits = options.Limits, ConfigFile = null },
            options with { Sockets = defaults.Sockets, Http = defaults.Http, CorsOrigins = defaults.CorsOrigins, ConfigFile = null });
    }

    [Fact]
    public void T9_properties_file_is_read_with_and_without_a_section()
    {
        var file = WriteFile("# comment\n; comment\nmax_clients: 7\nuse_ssl = yes\ncert_path = /a b.pem\nadmin_token = 100%\nsocket_port =\n[other]\nmax_clients = 8\n");
        var configuration = ChatConfiguration.Load(Nothing, file, _ => null, isStrict: true);
        Assert.Equal((7, true, "/a b.pem", "100%", 10010), (
            configuration.Options.Limits.ClientsMax, configuration.Options.UseSsl, configuration.Options.CertPath,
            configuration.Options.AdminToken, configuration.Options.Sockets[0].Port));
        Assert.Contains("[other]", Assert.Single(configuration.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void C29_the_file_of_the_command_line_beats_that_of_the_environment()
    {
        var (one, two) = (WriteFile("max_clients = 1\n"), WriteFile("max_clients = 2\n"));
        int Clients(string? file) => ChatConfiguration.Load(
            Nothing, file, variable => variable == "CHAT_SERVER_CONFIG_FILE" ? two : null, isStrict: true).Options.Limits.ClientsMax;
        Assert.Equal((1, 2), (Clients(one), Clients(null)));
    }

    [Fact]
    public void C30_bad_values_fall_to_the_next_layer_with_a_warning_or_are_errors_when_strict()
    {
        var file = WriteFile("max_clients = 7\nmode = nonsense\nmax_client = 3\n");
        ChatConfiguration Load(bool isStrict) => ChatConfiguration.Load(
            Nothing, file, variable => variable == "CHAT_SERVER_MAX_CLIENTS" ? "-3" : null, isStrict);
        var configuration = Load(false);
        Assert.Equal((7, ChatMode.Both), (configuration.Options.Limits.ClientsMax, configuration.Options.Mode));
        Assert.Equal(3, configuration.Warnings.Count);
        Assert.Contains(configuration.Warnings, warning => warning.EndsWith("did you mean max_clients?", StringComparison.Ordinal));
        Assert.Equal(2, Assert.Throws<ConfigurationException>(() => Load(true)).Errors.Count);
    }

    [Fact]
    public void C30_everything_wrong_on_the_command_line_is_told_at_once()
    {
        var values = new Dictionary<string, string>
        {
            ["mode"] = "x", ["socket_port"] = "70000", ["max_clients"] = "0", ["use_ssl"] = "true", ["announce"] = "loudly",
        };
        var errors = Assert.Throws<ConfigurationException>(() => ChatConfiguration.Load(values, WriteFile(""), _ => null, isStrict: false)).Errors;
        Assert.Equal(["--mode", "--socket-port", "--max-clients", "--announce", "use_ssl"], errors.Select(error => error.Key));
        Assert.Throws<ConfigurationException>(() => ChatConfiguration.Load(Nothing, "/no/such/file", _ => null, false));
    }

    [Theory]
    [InlineData("0.0.0.0", false)]
    [InlineData("127.0.0.1, ::1", true)]
    [InlineData("localhost", true)]
    public void Listening_beyond_this_machine_needs_tokens(string hosts, bool isAllowed)
    {
        var values = new Dictionary<string, string> { ["socket_host"] = hosts };
        ChatOptions Load() => ChatConfiguration.Load(values, WriteFile(""), _ => null, isStrict: true).Options;
        if (isAllowed) Assert.All(Load().Sockets, socket => Assert.True(IPAddress.IsLoopback(socket.Address)));
        else Assert.Throws<ConfigurationException>(Load);
        values["allow_anonymous"] = "true";
        Load();
    }

    [Theory]
    [InlineData("token", "auth_tokens_path")]
    [InlineData("jwt", "jwt_key_path")]
    public void A_mode_of_accounts_needs_its_file(string mode, string key)
    {
        var values = new Dictionary<string, string> { ["auth_mode"] = mode };
        ChatOptions Load() => ChatConfiguration.Load(values, WriteFile(""), _ => null, isStrict: true).Options;
        Assert.Contains(key, Assert.Throws<ConfigurationException>(Load).Message, StringComparison.Ordinal);
        values[key] = "/some/file";
        Assert.True(Load().IsAccountRequired);
        values["auth_mode"] = "none";
        Assert.False(Load().IsAccountRequired);
        values["auth_mode"] = mode == "token" ? "jwt" : "token";
        Assert.Throws<ConfigurationException>(Load);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string Sample(ChatKey key) => key.Standard.Length > 0 ? key.Standard : key.Name == "cors_origins" ? "https://a.example" : "/some/file";

    private string WriteFile(string text)
    {
        var path = Path.Combine(_folder, Path.GetRandomFileName());
        File.WriteAllText(path, text);
        return path;
    }
}
