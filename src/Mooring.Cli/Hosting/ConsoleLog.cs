using Microsoft.Extensions.Logging.Console;

namespace Mooring.Cli.Hosting;

/// <summary>The log on standard error, one line an entry.</summary>
internal static class ConsoleLog
{
    /// <param name="logging">Where it is added.</param>
    /// <param name="isJson">Whether each line is a JSON object, for programs that collect logs.</param>
    internal static void AddTo(ILoggingBuilder logging, bool isJson = false)
    {
        logging.Services.Configure<ConsoleLoggerOptions>(options => options.LogToStandardErrorThreshold = LogLevel.Trace);
        if (isJson)
        {
            logging.AddJsonConsole(options =>
            {
                options.UseUtcTimestamp = true;
                options.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
                options.IncludeScopes = false;
            });
            return;
        }
        logging.AddSimpleConsole(options =>
        {
            options.SingleLine = true;
            options.IncludeScopes = false;
            options.TimestampFormat = "HH:mm:ss.fff ";
            options.ColorBehavior = Console.IsErrorRedirected ? LoggerColorBehavior.Disabled : LoggerColorBehavior.Default;
        });
    }
}
