using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Mooring.Web.Live;
using Mooring.Web.Readings;
using Mooring.Web.Rows;

namespace Mooring.Web;

/// <summary>Puts the console into a host.</summary>
public static class ConsoleHosting
{
    private const string ResourcePrefix = "page/";

    /// <summary>Adds the console. It shows what the <see cref="IConsoleSource"/> of the services gives.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="limits">Bounds of its event stream.</param>
    public static IServiceCollection AddConsole(this IServiceCollection services, ConsoleLimits? limits = null)
    {
        var bounds = limits ?? new ConsoleLimits();
        services.AddSingleton(bounds);
        services.AddSingleton(provider => new LiveTables(provider.GetRequiredService<IConsoleSource>(), bounds, Clock(provider)));
        services.AddSingleton(provider => new LiveFeed(
            provider.GetRequiredService<LiveTables>(), bounds, Clock(provider), provider.GetRequiredService<ILogger<LiveFeed>>()));
        services.AddHostedService(provider => provider.GetRequiredService<LiveFeed>());
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Add(WebJson.Default));
        return services;
    }

    /// <summary>Serves the console's pages at <c>/</c> and its event stream at <c>/api/events</c>.</summary>
    /// <param name="endpoints">The host's endpoints.</param>
    public static void MapConsole(this IEndpointRouteBuilder endpoints)
    {
        var feed = endpoints.ServiceProvider.GetRequiredService<LiveFeed>();
        var tables = endpoints.ServiceProvider.GetRequiredService<LiveTables>();
        endpoints.ServiceProvider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(feed.Close);
        foreach (var page in Pages())
        {
            RequestDelegate serve = page.ServeAsync;
            endpoints.MapGet(page.Name == "index.html" ? "/" : $"/{page.Name}", serve).ExcludeFromDescription();
        }
        RequestDelegate stream = StreamAsync;
        endpoints.MapGet("/api/events", stream).ExcludeFromDescription();
        RequestDelegate history = http => TypedResults.Ok(tables.History.View()).ExecuteAsync(http);
        endpoints.MapGet("/api/console/history", history).ExcludeFromDescription();
    }

    internal static IEnumerable<Page> Pages()
    {
        var assembly = typeof(ConsoleHosting).Assembly;
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(ResourcePrefix, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(resource)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            yield return new Page(resource[ResourcePrefix.Length..], bytes);
        }
    }

    private static async Task StreamAsync(HttpContext http)
    {
        var services = http.RequestServices;
        var (tables, feed, limits) = (services.GetRequiredService<LiveTables>(), services.GetRequiredService<LiveFeed>(), services.GetRequiredService<ConsoleLimits>());
        var wanted = new List<LiveTable>();
        foreach (var name in http.Request.Query["show"].ToString().Split(',', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal))
        {
            if (!tables.TryFind(name, out var table))
            {
                await TypedResults.Problem($"show: there is no table '{name}' (allowed: {tables.Names})", statusCode: 400).ExecuteAsync(http);
                return;
            }
            wanted.Add(table);
        }
        if (!feed.TryEnter())
        {
            http.Response.Headers.RetryAfter = "5";
            await TypedResults.Problem($"{limits.StreamsMax} streams are open already", statusCode: 503).ExecuteAsync(http);
            return;
        }
        try
        {
            await new LiveStream(http, feed, [.. wanted], limits, Clock(services)).RunAsync();
        }
        finally
        {
            feed.Leave();
        }
    }

    private static TimeProvider Clock(IServiceProvider services) => services.GetService<TimeProvider>() ?? TimeProvider.System;
}
