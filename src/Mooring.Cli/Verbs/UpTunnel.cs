using System.CommandLine;
using System.Net;
using Mooring.Cli.Hosting;
using Mooring.Tunnel.Server;

namespace Mooring.Cli.Verbs;

/// <summary>The tunnel server inside <c>mooring up</c>.</summary>
internal sealed class UpTunnel
{
    private readonly Option<int> _port = SharedOptions.Port("--tunnel-port", 6400, "tunnel clients and their API");
    private readonly Option<int> _httpPort = SharedOptions.Port("--tunnel-http-port", 6480, "visitors of tunnels");

    internal static UpTunnel AddTo(Command command)
    {
        var tunnel = new UpTunnel();
        command.Options.Add(tunnel._port);
        command.Options.Add(tunnel._httpPort);
        return tunnel;
    }

    internal void AddTo(MooringHost host, ParseResult parsed, string dataFolder) => TunnelRole.AddTo(
        host,
        new TunnelServerOptions
        {
            Control = new IPEndPoint(IPAddress.Loopback, parsed.GetValue(_port)),
            Http = new IPEndPoint(IPAddress.Loopback, parsed.GetValue(_httpPort)),
        },
        TunnelRole.Storage(dataFolder), _port.Name, _httpPort.Name);
}
