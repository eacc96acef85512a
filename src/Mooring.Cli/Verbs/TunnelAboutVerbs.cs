using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Client.Configuration;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring tunnel config</c>, <c>version</c> and <c>credits</c>.</summary>
internal static class TunnelAboutVerbs
{
    private const string Example =
        """
        # retunnel.yml: publish with 'mooring tunnel start'
        # ${NAME} and ${NAME:-default} take values of the environment
        server_addr: localhost:6400
        auth_token: ${RETUNNEL_AUTH_TOKEN}
        tunnels:
          - name: web
            protocol: http
            local_port: 8080
            subdomain: my-app
          - name: ssh
            protocol: tcp
            local_port: 22
        """;

    internal static Command CreateConfig()
    {
        var show = new Option<bool>("--show") { Description = "Shows what is set." };
        var example = new Option<bool>("--example") { Description = "Prints an example of retunnel.yml." };
        var path = new Option<bool>("--path") { Description = "Prints where the settings are." };
        var command = new Command("config", "The settings of this user.") { show, example, path };
        command.SetAction(parsed =>
        {
            var file = ClientSettingsFile.OfUser(TimeProvider.System);
            if (parsed.GetValue(path)) TunnelOutput.Result(file.Path);
            else if (parsed.GetValue(example)) TunnelOutput.Result(Example);
            else if (parsed.GetValue(show)) Show(file);
            else Console.Error.WriteLine("Use --show, --example or --path.");
            return 0;
        });
        return command;
    }

    internal static Command CreateVersion(TunnelSharedOptions shared)
    {
        var command = new Command("version", "Shows the version.");
        command.SetAction(parsed =>
        {
            PrintVersion(shared.Output(parsed).IsJson);
            Console.Error.WriteLine($"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.OSDescription} {RuntimeInformation.OSArchitecture}");
            return 0;
        });
        return command;
    }

    internal static Command CreateCredits()
    {
        var command = new Command("credits", "Shows whose work this stands on.");
        command.SetAction(_ =>
        {
            foreach (var (library, licence, what) in new[]
            {
                ("ASP.NET Core, .NET", "MIT", "HTTP, TLS, sockets"), ("System.CommandLine", "MIT", "command line"), ("Spectre.Console", "MIT", "terminal"),
                ("YamlDotNet", "MIT", "retunnel.yml"), ("SQLite, SQLitePCLRaw", "public domain, Apache-2.0", "store of the server"),
            })
            {
                Console.Error.WriteLine($"{library,-24}{licence,-28}{what}");
            }
            return 0;
        });
        return command;
    }

    internal static void PrintVersion(bool isJson)
    {
        var version = typeof(TunnelClient).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";
        TunnelOutput.Result(isJson ? new JsonObject { ["version"] = version }.ToJsonString() : $"retunnel {version}");
    }

    private static void Show(ClientSettingsFile file)
    {
        var token = file.Read().AuthToken;
        var masked = token switch
        {
            null => "none",
            { Length: > 16 } => $"{token[..8]}...{token[^4..]}",
            _ => "****",
        };
        Console.Error.WriteLine($"token:                {masked}");
        Console.Error.WriteLine($"file:                 {file.Path}");
        foreach (var variable in new[] { "RETUNNEL_SERVER", "RETUNNEL_AUTH_TOKEN" })
            Console.Error.WriteLine($"{variable + ":",-22}{(Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? variable.EndsWith("TOKEN", StringComparison.Ordinal) ? "set" : value : "not set")}");
    }
}
