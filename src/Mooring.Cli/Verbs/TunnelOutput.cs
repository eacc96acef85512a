namespace Mooring.Cli.Verbs;

/// <summary>The rule of the tunnel client's output: results on standard output, everything else on standard error.</summary>
internal sealed class TunnelOutput(bool isQuiet, bool isJson, LogLevel level, string? logFile)
{
    internal bool IsQuiet => isQuiet;

    internal bool IsJson => isJson;

    /// <summary>A person looks at a terminal: they get a view that moves instead of lines.</summary>
    internal bool HasView => !isQuiet && !Console.IsOutputRedirected && !Console.IsErrorRedirected;

    /// <summary>The result itself.</summary>
    internal static void Result(string line)
    {
        Console.Out.WriteLine(line);
        Console.Out.Flush();
    }

    /// <summary>What a person at a terminal wants to know meanwhile.</summary>
    internal void Note(string line)
    {
        if (isQuiet) return;
        Console.Error.WriteLine(line);
    }

    internal static void Error(string line) => Console.Error.WriteLine($"mooring: {line}");

    /// <summary>The log: on standard error unless quiet, and in a file with everything.</summary>
    internal ILoggerFactory CreateLoggers() => LoggerFactory.Create(logging =>
    {
        logging.SetMinimumLevel(logFile is null ? level : LogLevel.Debug);
        logging.AddProvider(new TunnelLogProvider(isQuiet || HasView ? LogLevel.Error : level, logFile, TimeProvider.System));
    });
}
