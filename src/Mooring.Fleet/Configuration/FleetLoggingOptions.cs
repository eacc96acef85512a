using Microsoft.Extensions.Logging;

namespace Mooring.Fleet.Configuration;

/// <summary>Where logs go.</summary>
public sealed record FleetLoggingOptions
{
    /// <summary>Lowest level on standard error; <see cref="LogLevel.None"/> for nothing.</summary>
    public LogLevel Console { get; init; } = LogLevel.Information;

    /// <summary>Lowest level in the file; <see cref="LogLevel.None"/> for nothing.</summary>
    public LogLevel File { get; init; } = LogLevel.None;

    /// <summary>Folder of <c>external_server.log</c>.</summary>
    public string Folder { get; init; } = "";

    /// <summary>One JSON object a line in place of text.</summary>
    public bool IsJson { get; init; }
}
