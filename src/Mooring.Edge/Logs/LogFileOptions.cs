using Microsoft.Extensions.Logging;

namespace Mooring.Edge.Logs;

/// <summary>Log files of an edge program.</summary>
public sealed record LogFileOptions
{
    /// <summary>Folder that holds <c>logs</c> and <c>debug</c>.</summary>
    public required string Folder { get; init; }

    /// <summary>How file names begin, such as <c>orchestrator</c>: then <c>orchestrator-logs-2026-11-21.log</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Least level in <c>logs</c>; <c>debug</c> always has everything from Debug on.</summary>
    public LogLevel Level { get; init; } = LogLevel.Information;

    /// <summary>Whether each line is a JSON object, for programs that collect logs. Default false: lines for people.</summary>
    public bool IsJson { get; init; }

    /// <summary>A file that has grown so long is continued in the next. Default 10 MB.</summary>
    public long FileBytesMax { get; init; } = 10_000_000;

    /// <summary>Days for which files are kept. Default 14.</summary>
    public int DaysMax { get; init; } = 14;

    /// <summary>Bytes of all files of a folder; beyond, the oldest go. Default 200 MB.</summary>
    public long FolderBytesMax { get; init; } = 200_000_000;
}
