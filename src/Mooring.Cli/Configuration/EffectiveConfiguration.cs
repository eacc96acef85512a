using System.CommandLine;

namespace Mooring.Cli.Configuration;

/// <summary>What takes effect, of the command line, the environment, the file and the defaults.</summary>
/// <param name="Parsed">All of it, as if it had been typed.</param>
/// <param name="Values">Each setting with its source.</param>
/// <param name="File">The file that was read; null when there is none.</param>
/// <param name="Warnings">What is odd but does no harm, one line each.</param>
internal sealed record EffectiveConfiguration(
    ParseResult Parsed, IReadOnlyList<SettingValue> Values, string? File, IReadOnlyList<string> Warnings)
{
    /// <summary>Values that differ from those of another reading.</summary>
    internal IEnumerable<SettingValue> ChangedSince(EffectiveConfiguration before) =>
        Values.Zip(before.Values).Where(pair => !pair.First.Texts.SequenceEqual(pair.Second.Texts)).Select(pair => pair.First);
}
