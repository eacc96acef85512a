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
            TunnelServeVerb.Create(),
        };
        shared.AddTo(command);
        return command;
    }
}
