using Microsoft.Extensions.Logging.Console;

namespace Mooring.Cli.Hosting;

/// <summary>The log on standard error, one line an entry.</summary>
internal static class ConsoleLog
{
    internal static void AddTo(ILoggingBuilder logging)
    {
        logging.AddSimpleConsole(options =>
        {
            options.SingleLine = true;
            options.IncludeScopes = false;
            options.TimestampFormat = "HH:mm:ss.fff ";
            options.ColorBehavior = Console.IsErrorRedirected ? LoggerColorBehavior.Disabled : LoggerColorBehavior.Default;
        });
        logging.Services.Configure<ConsoleLoggerOptions>(options => options.LogToStandardErrorThreshold = LogLevel.Trace);
    }
}
