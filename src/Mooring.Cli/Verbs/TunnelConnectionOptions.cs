using System.CommandLine;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Client.Configuration;

namespace Mooring.Cli.Verbs;

/// <summary>How the server is reached: from the command line, then the environment, then the file.</summary>
internal sealed class TunnelConnectionOptions
{
    private readonly Option<string?> _server = new("--server") { Description = "The server: HOST:PORT, ws://… or wss://….", HelpName = "URL" };
    private readonly Option<string?> _token = new("--token") { Description = "Token of the account.", HelpName = "TOKEN" };
    private readonly Option<string?> _authorities = new("--ca") { Description = "PEM file of the authority that the server's certificate must come from.", HelpName = "FILE" };
    private readonly Option<bool> _insecure = new("--insecure", "-k") { Description = "Accept any certificate." };
    private readonly Option<string?> _wire = new("--wire") { Description = "Generation of the wire: a or b; chosen by itself without.", HelpName = "a|b" };

    internal TunnelConnectionOptions() => _wire.AcceptOnlyFromAmong("a", "b", "A", "B");

    internal void AddTo(Command command)
    {
        command.Options.Add(_server);
        command.Options.Add(_token);
        command.Options.Add(_authorities);
        command.Options.Add(_insecure);
        command.Options.Add(_wire);
    }

    internal TunnelTarget Read(ParseResult parsed, string? fileServer = null, string? fileToken = null)
    {
        var file = ClientSettingsFile.OfUser(TimeProvider.System);
        var settings = file.Read();
        var given = parsed.GetValue(_token) ?? fileToken ?? Variable("RETUNNEL_AUTH_TOKEN");
        return new TunnelTarget(
            parsed.GetValue(_server) ?? fileServer ?? Variable("RETUNNEL_SERVER") ?? Variable("RETUNNEL_SERVER_ENDPOINT") ?? Variable("RETUNNEL_SERVER_ADDR") ?? settings.ServerUrl ?? TunnelClientOptions.DefaultServer,
            given ?? settings.AuthToken,
            given is not null,
            parsed.GetValue(_authorities) ?? Variable("RETUNNEL_CA"),
            parsed.GetValue(_insecure) || TunnelSharedOptions.IsOn("RETUNNEL_INSECURE") || !settings.SslVerify,
            parsed.GetValue(_wire)?.ToLowerInvariant() switch
            {
                "a" => TunnelWire.A,
                "b" => TunnelWire.B,
                _ => TunnelWire.Automatic,
            },
            file);
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
