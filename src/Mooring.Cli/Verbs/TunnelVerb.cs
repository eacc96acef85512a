using System.CommandLine;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring tunnel</c>: the tunnel client, with the command line of the ReTunnel client, and the server.</summary>
internal static class TunnelVerb
{
    internal static Command Create()
    {
        var shared = new TunnelSharedOptions();
        var command = new Command("tunnel", "Publishes a local service under a public address.")
        {
            TunnelPublishVerb.CreateHttp(shared),
            TunnelPublishVerb.CreateTcp(shared),
            TunnelStartVerb.Create(shared),
            TunnelAccountVerbs.CreateAuthToken(),
            TunnelAccountVerbs.CreateToken(shared),
            TunnelAccountVerbs.CreateHostname(shared),
            TunnelAboutVerbs.CreateConfig(),
            TunnelAboutVerbs.CreateVersion(shared),
            TunnelAboutVerbs.CreateCredits(),
            TunnelServeVerb.Create(),
        };
        shared.AddTo(command);
        var version = new Option<bool>("--version", "-V") { Description = "Shows the version." };
        command.Options.Add(version);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(version))
            {
                TunnelAboutVerbs.PrintVersion(shared.Output(parsed).IsJson);
                return 0;
            }
            Console.Error.WriteLine("Use a command: http, tcp, start, authtoken, token, hostname, config, version, credits or serve. 'mooring tunnel --help' explains them.");
            return 2;
        });
        return command;
    }
}
