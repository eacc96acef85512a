using System.CommandLine;
using Mooring.Cli.Configuration;

namespace Mooring.Cli.Verbs;

/// <summary>Options that several verbs have, with one meaning each.</summary>
internal static class SharedOptions
{
    private const string JsonFormat = "json";

    private static readonly SettingShape PortShape = new(SettingShape.Integer, 0, 65_535);

    internal static Option<string> Bind(string name = "--bind") => new(name)
    {
        Description = "Address to listen on: an IP address, localhost or *.",
        HelpName = "ADDRESS",
        DefaultValueFactory = _ => "127.0.0.1",
    };

    internal static Option<int> Port(string name, int standard, string what) => new ShapedOption<int>(name, PortShape)
    {
        Description = $"Port of {what}; 0 lets the system choose.",
        HelpName = "PORT",
        DefaultValueFactory = _ => standard,
    };

    /// <summary>A listener that is not opened unless its port is given.</summary>
    internal static Option<int?> OptionalPort(string name, string what) => new ShapedOption<int?>(name, PortShape)
    {
        Description = $"Opens {what} on this port; 0 lets the system choose.",
        HelpName = "PORT",
    };

    internal static Option<string> Data() => new("--data")
    {
        Description = "Folder for what must outlive the process.",
        HelpName = "FOLDER",
        DefaultValueFactory = _ => "mooring-data",
    };

    internal static Option<LogLevel> LogLevels(LogLevel standard) => new("--log-level")
    {
        Description = "Trace, Debug, Information, Warning, Error or Critical.",
        HelpName = "LEVEL",
        DefaultValueFactory = _ => standard,
    };

    /// <summary>Shape of the log's lines; <see cref="IsJson"/> reads it.</summary>
    internal static Option<string> LogFormat() => new ShapedOption<string>("--log-format", new SettingShape(SettingShape.Text, Choices: ["text", JsonFormat]))
    {
        Description = "Lines of the log for people (text) or for programs (json).",
        HelpName = "FORMAT",
        DefaultValueFactory = _ => "text",
    };

    /// <summary>Whether the log's lines are JSON objects.</summary>
    internal static bool IsJson(string? logFormat) => string.Equals(logFormat, JsonFormat, StringComparison.OrdinalIgnoreCase);

    /// <summary>Log levels with the names that the original edge daemons have; those of <see cref="LogLevels"/> are read too.</summary>
    internal static Option<LogLevel> OriginalLogLevels()
    {
        // Any text as far as a file is concerned: the parser below knows the names of both kinds.
        var option = new ShapedOption<LogLevel>("--log-level", new SettingShape(SettingShape.Text))
        {
            Description = "DEBUG, INFO, WARNING, ERROR or CRITICAL.",
            HelpName = "LEVEL",
            DefaultValueFactory = _ => LogLevel.Information,
            CustomParser = result =>
            {
                var name = result.Tokens[0].Value;
                if (string.Equals(name, "INFO", StringComparison.OrdinalIgnoreCase)) return LogLevel.Information;
                if (Enum.TryParse<LogLevel>(name, ignoreCase: true, out var level) && Enum.IsDefined(level)) return level;
                result.AddError($"--log-level: '{name}' is not allowed: DEBUG, INFO, WARNING, ERROR or CRITICAL");
                return default;
            },
        };
        option.Aliases.Add("-l");
        return option;
    }
}
