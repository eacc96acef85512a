using Microsoft.Extensions.Logging.Console;
using Mooring.Edge.Logs;

namespace Mooring.Cli.Hosting;

/// <summary>
/// A process that serves no HTTP, on a host without a web server: on a small machine beside a plant, what is not loaded takes no memory.
/// Logs to the console and to files, one of which has Debug whatever the console shows.
/// </summary>
internal sealed class DaemonHost
{
    /// <summary>A container engine kills after 10 s.</summary>
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(3);

    private readonly HostApplicationBuilder _builder;

    private DaemonHost(HostApplicationBuilder builder) => _builder = builder;

    internal IServiceCollection Services => _builder.Services;

    internal static DaemonHost Create(LogFileOptions files)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true, ContentRootPath = AppContext.BaseDirectory });
        ConsoleLog.AddTo(builder.Logging, files.IsJson);
        // Told once, by the verb, when a start fails: without the host's stack trace.
        builder.Logging.AddFilter<ConsoleLoggerProvider>(null, files.Level)
            .AddFilter<ConsoleLoggerProvider>("Microsoft", files.Level > LogLevel.Information ? files.Level : LogLevel.Warning)
            .AddFilter<ConsoleLoggerProvider>("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None)
            .AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None)
            .SetMinimumLevel(files.Level < LogLevel.Debug ? files.Level : LogLevel.Debug)
            .AddLogFiles(files, TimeProvider.System);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = DrainLimit);
        builder.Services.AddSingleton(TimeProvider.System).AddSingleton<IHostLifetime, QuietLifetime>()
            .AddHostedService(services => new SpareMemory(collectsGarbage: true, services.GetRequiredService<TimeProvider>()));
        return new DaemonHost(builder);
    }

    /// <summary>Runs until a signal has been obeyed.</summary>
    internal async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        using var host = _builder.Build();
        using var signals = new StopSignals(host.Services.GetRequiredService<IHostApplicationLifetime>());
        await host.StartAsync(cancellationToken);
        await host.WaitForShutdownAsync(cancellationToken);
        return ExitCode.Success;
    }
}
