using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using Mooring.Kernel.Metrics;

namespace Mooring.Cli.Hosting;

/// <summary>
/// One process with any number of roles: a slim web host on which each verb puts its services, listeners and endpoints.
/// </summary>
internal sealed class MooringHost
{
    /// <summary>SIGINT and SIGTERM drain for at most this long; a container engine kills after 10 s.</summary>
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(3);

    private readonly List<Listener> _listeners = [];

    private MooringHost(WebApplicationBuilder builder) => Builder = builder;

    internal WebApplicationBuilder Builder { get; }

    internal IServiceCollection Services => Builder.Services;

    /// <param name="logLevel">Least level that is logged.</param>
    /// <param name="consoleLog">Whether the log goes to standard error.</param>
    /// <param name="drainLimit">Longest time to stop in; null for one that a container engine waits for.</param>
    /// <param name="jsonLog">Whether each line of the log is a JSON object, for programs that collect logs.</param>
    internal static MooringHost Create(LogLevel logLevel, bool consoleLog = true, TimeSpan? drainLimit = null, bool jsonLog = false)
    {
        // No environment name, no appsettings, no content root of the working directory: a verb's options are all there is.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Clear();
        builder.Logging.ClearProviders();
        if (consoleLog)
        {
            ConsoleLog.AddTo(builder.Logging, jsonLog);
        }

        var level = new RunningLogLevel(logLevel);
        builder.Services.AddSingleton(level);
        builder.Services.AddSingleton<IConfigureOptions<LoggerFilterOptions>>(level);
        builder.Services.AddSingleton<IOptionsChangeTokenSource<LoggerFilterOptions>>(level);

        builder.Services.Configure<HostOptions>(options =>
        {
            options.ShutdownTimeout = drainLimit ?? DrainLimit;
            options.ServicesStopConcurrently = false;
        });
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<PrometheusExporter>();
        builder.Services.AddProblemAnswers();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.Limits.MaxRequestBodySize = HttpLimits.RequestBodyBytes;
            options.Limits.MaxConcurrentConnections = null;
        });
        return new MooringHost(builder);
    }

    /// <summary>Serves HTTP on <paramref name="listener"/>; the result tells the address once it is bound.</summary>
    /// <param name="listener">Where.</param>
    /// <param name="configure">Puts more on the listener, such as TLS.</param>
    internal Func<IPEndPoint> ListenHttp(Listener listener, Action<ListenOptions>? configure = null)
    {
        Announce(listener);
        ListenOptions? bound = null;
        Builder.WebHost.ConfigureKestrel(options => options.Listen(listener.EndPoint, endpoint =>
        {
            endpoint.Protocols = HttpProtocols.Http1;
            configure?.Invoke(endpoint);
            bound = endpoint;
        }));
        return () => bound?.IPEndPoint ?? listener.EndPoint;
    }

    /// <summary>Names a listener that a role opens itself, so that a taken port is found before anything starts.</summary>
    internal void Announce(Listener listener) => _listeners.Add(listener);

    /// <summary>As <see cref="RunAsync"/>, for a verb that serves no HTTP.</summary>
    internal Task<int> RunWithoutHttpAsync(CancellationToken cancellationToken, Action<WebApplication>? started = null)
    {
        Services.AddSingleton<IServer, NoServer>();
        return RunAsync(_ => { }, started ?? (_ => { }), cancellationToken);
    }

    /// <summary>Starts everything, calls <paramref name="started"/>, and returns when a signal has been obeyed.</summary>
    internal async Task<int> RunAsync(
        Action<WebApplication> map, Action<WebApplication> started, CancellationToken cancellationToken)
    {
        Listener.EnsureFree(_listeners);
        await using var application = Builder.Build();
        application.Services.GetRequiredService<PrometheusExporter>();
        application.UseProblemAnswers();
        map(application);

        using var signals = new StopSignals(application.Lifetime);
        await application.StartAsync(cancellationToken);
        started(application);
        await application.WaitForShutdownAsync(cancellationToken);
        return ExitCode.Success;
    }

    /// <summary>Reads an address option: an IP address, or "localhost".</summary>
    internal static IPAddress ParseAddress(string option, string value) => value switch
    {
        "localhost" => IPAddress.Loopback,
        "*" => IPAddress.Any,
        _ when IPAddress.TryParse(value, out var address) => address,
        _ => throw new UserErrorException($"{option}: '{value}' is not an IP address (allowed: an address, localhost, or * for all)"),
    };
}
