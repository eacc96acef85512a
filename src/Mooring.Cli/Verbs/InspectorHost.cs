using System.Net;
using Mooring.Cli.Hosting;
using Mooring.Tunnel.Client.Inspection;

namespace Mooring.Cli.Verbs;

/// <summary>The inspector's page on a port of this machine, beside the client.</summary>
internal sealed class InspectorHost : IAsyncDisposable
{
    private readonly WebApplication _application;

    private InspectorHost(WebApplication application, TunnelInspector inspector) => (_application, Inspector) = (application, inspector);

    internal TunnelInspector Inspector { get; }

    internal static async Task<InspectorHost> StartAsync(int port)
    {
        Listener.EnsureFree([new Listener("inspector", new IPEndPoint(IPAddress.Loopback, port), "--inspect")]);
        var host = MooringHost.Create(LogLevel.Error, consoleLog: false);
        host.Builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        var application = host.Builder.Build();
        var inspector = new TunnelInspector();
        application.MapInspector(inspector, TimeProvider.System);
        await application.StartAsync();
        return new InspectorHost(application, inspector);
    }

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync(new CancellationToken(canceled: true));
        await _application.DisposeAsync();
    }
}
