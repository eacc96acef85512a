using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mooring.Web.Live;
using Mooring.Web.Readings;

namespace Mooring.Web.Tests;

/// <summary>The console alone, on a source of the test's.</summary>
internal sealed class ConsoleHost : IAsyncDisposable
{
    private readonly WebApplication _application;

    private ConsoleHost(WebApplication application) => _application = application;

    public Uri Address => new(_application.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First() + "/");

    public LiveFeed Feed => _application.Services.GetRequiredService<LiveFeed>();

    public static async Task<ConsoleHost> StartAsync(TestSource source, ConsoleLimits? limits = null, Action<IEndpointRouteBuilder>? map = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddSingleton<IConsoleSource>(source);
        builder.Services.AddConsole(limits);
        var application = builder.Build();
        application.MapConsole();
        map?.Invoke(application);
        await application.StartAsync();
        return new ConsoleHost(application);
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
