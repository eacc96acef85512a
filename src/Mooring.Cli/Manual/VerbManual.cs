namespace Mooring.Cli.Manual;

/// <summary>What the parser does not know of a verb: the parts of its page that people write.</summary>
internal sealed class VerbManual
{
    internal List<string> Paragraphs { get; } = [];

    internal List<ManualEntry> Files { get; } = [];

    internal List<ManualEntry> Environment { get; } = [];

    /// <summary>Exit codes that mean something else, or more, than with every verb.</summary>
    internal List<ManualEntry> ExitStatus { get; } = [];

    internal List<ManualEntry> Examples { get; } = [];
}
