using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mooring.Fleet.Configuration;

namespace Mooring.Fleet.Logging;

/// <summary>Logs as the external server's configuration asks.</summary>
public static class FleetLogging
{
    /// <summary>Adds standard error and the file, each with its own level.</summary>
    /// <param name="builder">The host's logging.</param>
    /// <param name="options">Where logs go.</param>
    public static ILoggingBuilder AddFleetLogging(this ILoggingBuilder builder, FleetLoggingOptions options)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        builder.SetMinimumLevel(options.Console < options.File ? options.Console : options.File);
        builder.Services.AddSingleton<ILoggerProvider>(provider => new FleetLogProvider(options, Targets(options), provider.GetRequiredService<TimeProvider>()));
        return builder;
    }

    /// <summary>Opens the log file for a moment, so that a person hears at once of a folder that may not be written.</summary>
    /// <param name="options">Where logs go.</param>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void EnsureWritable(FleetLoggingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.File != LogLevel.None) new FileStream(PathOf(options), FileMode.Append).Dispose();
    }

    private static string PathOf(FleetLoggingOptions options) => Path.Combine(options.Folder, "external_server.log");

    private static List<LogTarget> Targets(FleetLoggingOptions options)
    {
        var targets = new List<LogTarget>();
        if (options.Console != LogLevel.None) targets.Add(new LogTarget(options.Console, new StandardErrorSink()));
        if (options.File != LogLevel.None) targets.Add(new LogTarget(options.File, new RotatingFile(PathOf(options))));
        return targets;
    }
}
