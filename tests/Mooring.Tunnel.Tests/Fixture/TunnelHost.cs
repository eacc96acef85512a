using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mooring.Storage;
using Mooring.Tunnel.Server;
using Mooring.Tunnel.Server.Accounts;

namespace Mooring.Tunnel.Tests.Fixture;

/// <summary>A whole tunnel server on free ports of this machine, with a database of its own.</summary>
internal sealed class TunnelHost : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly string _folder;
    private readonly bool _ownsFolder;
    private readonly bool _isClockStill;

    private TunnelHost(WebApplication application, string folder, bool ownsFolder, bool isClockStill)
    {
        (_application, _folder, _ownsFolder, _isClockStill) = (application, folder, ownsFolder, isClockStill);
        Server = application.Services.GetRequiredService<TunnelServer>();
        Control = application.Services.TunnelControlEndPoint();
    }

    public TunnelServer Server { get; }

    public IPEndPoint Control { get; }

    /// <summary>Where operators come in.</summary>
    public required Uri Admin { get; init; }

    public string Address => Control.ToString();

    public string Folder => _folder;

    public static async Task<TunnelHost> StartAsync(
        ILoggerFactory loggers, Func<TunnelServerOptions, TunnelServerOptions>? change = null, string? folder = null, TimeProvider? time = null)
    {
        var options = new TunnelServerOptions
        {
            Control = new IPEndPoint(IPAddress.Loopback, 0),
            Http = new IPEndPoint(IPAddress.Loopback, 0),
            TcpPortFirst = 22_000,
            TcpPortLast = 29_999,
        };
        if (change is not null) options = change(options);
        var own = folder is null;
        folder ??= Directory.CreateTempSubdirectory("mooring-tunnel-").FullName;
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseKestrelCore();
        var admin = new IPEndPoint(IPAddress.Loopback, Mooring.Testing.FreePort.Next());
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(admin));
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.Services.AddTunnelServer(options, new StorageOptions { Database = Path.Combine(folder, "tunnel.db"), FlushEveryCommit = false });
        var application = builder.Build();
        application.MapTunnelServer();
        application.MapTunnelAdmin();
        await application.StartAsync();
        return new TunnelHost(application, folder, own, time is not null) { Admin = new Uri($"http://{admin}/") };
    }

    /// <summary>A new account's token.</summary>
    public async Task<string> TokenAsync() =>
        (await Server.Accounts.RegisterAsync($"{Guid.NewGuid():N}@example.org", TokenScopes.Owner, TestContext.Current.CancellationToken))!.Value.Token;

    /// <summary>An HTTP client whose requests all go to the visitors' port, whatever their host is.</summary>
    public HttpClient Visitor(string name) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(Server.Http, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    {
        BaseAddress = new Uri($"http://{name}.localhost:{Server.Http.Port}/"),
        Timeout = TimeSpan.FromSeconds(30),
    };

    public async ValueTask DisposeAsync()
    {
        // By a clock that nobody moves, the moment that visitors under way get would not end.
        await _application.StopAsync(new CancellationToken(_isClockStill));
        await _application.DisposeAsync();
        await Server.DisposeAsync();
        if (_ownsFolder) Directory.Delete(_folder, recursive: true);
    }
}
