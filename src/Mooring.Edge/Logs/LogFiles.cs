using Microsoft.Extensions.Logging;

namespace Mooring.Edge.Logs;

/// <summary>Adds log files to a program.</summary>
public static class LogFiles
{
    /// <summary>Adds them. Debug must be let through by the program's own filters for the debug file to have it.</summary>
    /// <param name="logging">The program's logging.</param>
    /// <param name="options">Where and how much.</param>
    /// <param name="time">Stamps lines and days.</param>
    /// <returns>The logging.</returns>
    public static ILoggingBuilder AddLogFiles(this ILoggingBuilder logging, LogFileOptions options, TimeProvider time) =>
        logging.AddProvider(new LogFileProvider(options, time));
}
