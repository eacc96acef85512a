using Mooring.Storage;
using Mooring.Tunnel.Server;

namespace Mooring.Cli.Hosting;

/// <summary>The tunnel server as a part of a host.</summary>
internal static class TunnelRole
{
    /// <summary>Accounts and names; a name that a power failure takes is asked for again by the client.</summary>
    internal static StorageOptions Storage(string dataFolder)
    {
        Directory.CreateDirectory(dataFolder);
        return new StorageOptions { Database = Path.Combine(dataFolder, "tunnel.db"), FlushEveryCommit = false };
    }

    internal static void AddTo(MooringHost host, TunnelServerOptions options, StorageOptions storage, string controlOption, string httpOption)
    {
        host.Announce(new Listener("tunnel control and API", options.Control, controlOption));
        host.Announce(new Listener("tunnel visitors", options.Http, httpOption));
        if (options.Https is { } https) host.Announce(new Listener("tunnel visitors over TLS", https, "--https-port"));
        host.Services.AddTunnelServer(options, storage);
        host.Services.AddSingleton(services =>
        {
            var server = services.GetRequiredService<TunnelServer>();
            return new Readiness("tunnel", () => server.IsReady ? null : "not open for clients");
        });
    }

    /// <summary>Rows with what is where, and the command for a first tunnel.</summary>
    internal static void Describe(IServiceProvider services, AddressTable table)
    {
        var server = services.GetRequiredService<TunnelServer>();
        var control = services.TunnelControlEndPoint();
        var suffix = control.Port == 6400 ? "" : $" --server {control}";
        table.Add("tunnel", $"http://{control}", $"mooring tunnel http 8080{suffix}");
        table.Add("tunnel visitors", $"http://NAME.{server.Options.BaseDomain}:{server.Http.Port}", "");
        if (server.Https is { } https) table.Add("tunnel visitors over TLS", $"https://NAME.{server.Options.BaseDomain}:{https.Port}", "");
    }
}
