namespace Mooring.Cli.Hosting;

/// <summary>Something that the person who typed the command can mend; each line is printed as it is.</summary>
internal sealed class UserErrorException(params IReadOnlyList<string> lines) : Exception(string.Join('\n', lines))
{
    /// <summary>What the process ends with.</summary>
    internal int Code { get; init; } = ExitCode.Failure;

    internal IReadOnlyList<string> Lines { get; } = lines;
}
