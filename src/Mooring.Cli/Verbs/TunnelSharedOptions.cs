using System.CommandLine;
using System.CommandLine.Parsing;

namespace Mooring.Cli.Verbs;

/// <summary>Options that every command of the tunnel client has, before or after its name.</summary>
internal sealed class TunnelSharedOptions
{
    private static readonly string[] s_levels = ["DEBUG", "INFO", "WARNING", "ERROR"];

    private readonly Option<bool> _quiet = new("--quiet", "-q") { Description = "Only the result and errors.", Recursive = true };
    private readonly Option<bool> _json = new("--json") { Description = "The result as JSON; implies --quiet.", Recursive = true };
    private readonly Option<string?> _logLevel = new("--log-level", "-l") { Description = "DEBUG, INFO, WARNING or ERROR.", HelpName = "LEVEL", Recursive = true };
    private readonly Option<string?> _logFile = new("--log-file") { Description = "Another log, of everything.", HelpName = "FILE", Recursive = true };

    internal TunnelSharedOptions() => _logLevel.Validators.Add(CheckLevel);

    internal void AddTo(Command command)
    {
        command.Options.Add(_quiet);
        command.Options.Add(_json);
        command.Options.Add(_logLevel);
        command.Options.Add(_logFile);
    }

    internal TunnelOutput Output(ParseResult parsed)
    {
        var isJson = parsed.GetValue(_json);
        var level = parsed.GetValue(_logLevel) ?? Environment.GetEnvironmentVariable("RETUNNEL_LOG_LEVEL") ?? "INFO";
        return new TunnelOutput(
            isQuiet: isJson || parsed.GetValue(_quiet) || IsOn("RETUNNEL_QUIET"),
            isJson,
            level.ToUpperInvariant() switch
            {
                "DEBUG" => LogLevel.Debug,
                "WARNING" => LogLevel.Warning,
                "ERROR" => LogLevel.Error,
                _ => LogLevel.Information,
            },
            parsed.GetValue(_logFile) ?? Environment.GetEnvironmentVariable("RETUNNEL_LOG_FILE"));
    }

    /// <summary>A switch in the environment.</summary>
    internal static bool IsOn(string variable) =>
        Environment.GetEnvironmentVariable(variable)?.ToLowerInvariant() is "1" or "true" or "yes" or "on";

    private static void CheckLevel(OptionResult result)
    {
        if (result.Tokens is [{ Value: var value }] && !s_levels.Contains(value, StringComparer.OrdinalIgnoreCase))
            result.AddError($"--log-level: '{value}' is not allowed: {string.Join(", ", s_levels)}");
    }
}
