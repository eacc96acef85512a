using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mooring.SocketIO.Tests.Server;

/// <summary>A Socket.IO server on a port of its own.</summary>
internal sealed class ServerUnderTest : IAsyncDisposable
{
    private readonly WebApplication _application;

    private ServerUnderTest(WebApplication application, SocketIOServer server) => (_application, Server) = (application, server);

    public SocketIOServer Server { get; }

    public SocketIONamespace Root => Server.Root;

    public Uri Address => new(_application.Urls.First());

    public static async Task<ServerUnderTest> StartAsync(
        ILoggerProvider log, SocketIOServerOptions? options = null, Action<SocketIOServer>? setUp = null, TimeProvider? time = null,
        Action<ListenOptions>? listen = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Trace).AddProvider(log).AddFilter("Microsoft", LogLevel.Warning);
        if (time is not null) builder.Services.AddSingleton(time);
        builder.Services.AddSocketIO(options);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint => listen?.Invoke(endpoint)));
        var application = builder.Build();
        application.MapSocketIO();
        var server = application.Services.GetRequiredService<SocketIOServer>();
        setUp?.Invoke(server);
        await application.StartAsync();
        return new ServerUnderTest(application, server);
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
