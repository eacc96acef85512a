using System.Globalization;
using System.Text.RegularExpressions;

namespace Mooring.Architecture.Tests;

/// <summary>The rules that are read off the source text. Each gives one line per violation.</summary>
internal static partial class SourceRules
{
    /// <summary>First and last event id of each project, so that an id in a log names its slice.</summary>
    private static readonly Dictionary<string, (int First, int Last)> EventIdRanges = new(StringComparer.Ordinal)
    {
        ["Mooring.Kernel"] = (1000, 1999),
        ["Mooring.Mqtt"] = (2000, 2999),
        ["Mooring.Storage"] = (3000, 3499),
        ["Mooring.SocketIO"] = (3500, 3999),
        ["Mooring.Fleet"] = (4000, 4999),
        ["Mooring.Chat"] = (5000, 5999),
        ["Mooring.Tunnel"] = (6000, 6999),
        ["Mooring.Edge"] = (7000, 7999),
        ["Mooring.Web"] = (8000, 8999),
        ["Mooring.Cli"] = (9000, 9999),
    };

    /// <summary>Whether the file lies in a folder that holds only functions from bytes to messages and back.</summary>
    public static bool MustBePure(SourceFile file) => PureFolder().IsMatch(file.Path);

    public static IEnumerable<string> Impurities(SourceFile file) =>
        Impure().Matches(file.Code).Select(match => match.Value).Distinct(StringComparer.Ordinal)
            .Select(word => $"{file.Path}: {word}");

    public static IEnumerable<string> UnboundedQueues(SourceFile file) =>
        Unbounded().Matches(file.Code).Select(match => $"{file.Path}: {match.Value}");

    public static IEnumerable<string> EventIdViolations(IEnumerable<SourceFile> files)
    {
        var owners = new Dictionary<int, string>();
        foreach (var file in files)
        {
            foreach (Match attribute in LoggerMessage().Matches(file.Code))
            {
                var number = EventId().Match(attribute.Groups["arguments"].Value).Groups["id"].Value.Replace("_", "", StringComparison.Ordinal);
                if (number.Length == 0)
                {
                    yield return $"{file.Path}: a LoggerMessage without a literal event id";
                    continue;
                }

                var id = int.Parse(number, CultureInfo.InvariantCulture);
                if (!EventIdRanges.TryGetValue(file.Project, out var range)) yield return $"{file.Path}: {file.Project} has no range of event ids";
                else if (id < range.First || id > range.Last) yield return $"{file.Path}: event id {id} is outside {range.First}-{range.Last}";
                if (!owners.TryAdd(id, file.Path)) yield return $"{file.Path}: event id {id} is taken by {owners[id]}";
            }
        }
    }

    [GeneratedRegex("^src/[^/]+/(?:.*/)?(?:Codec|Protocol)/", RegexOptions.CultureInvariant)]
    private static partial Regex PureFolder();

    [GeneratedRegex("""
        \b(?:(?:Value)?Task(?:CompletionSource)?|async|await|Thread|ThreadPool|Timer|PeriodicTimer|CancellationToken
        |Socket|NetworkStream|Stream|PipeReader|PipeWriter|File|Directory|FileStream|Process|Environment
        |ILogger|ILoggerFactory|LoggerMessage|Console
        |TimeProvider|DateTime|DateTimeOffset|Stopwatch|TickCount64|Random|RandomNumberGenerator|NewGuid|CreateVersion7
        |System\.Net\.Sockets|System\.IO\.Pipelines|System\.Threading\.\w+|Microsoft\.Extensions\.\w+|Microsoft\.AspNetCore\.\w+)\b
        """, RegexOptions.CultureInvariant | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Impure();

    // A pause threshold of 0 is "never pause": a pipe without a bound.
    [GeneratedRegex(@"\bCreateUnbounded\w*|\bUnboundedChannelOptions\b|\bnew BlockingCollection<[^;]*?>\(\)|\bpauseWriterThreshold:\s*0\b",
        RegexOptions.CultureInvariant)]
    private static partial Regex Unbounded();

    [GeneratedRegex(@"\[LoggerMessage\((?<arguments>[^\]]*)\)\]", RegexOptions.CultureInvariant)]
    private static partial Regex LoggerMessage();

    [GeneratedRegex(@"(?:^\s*(?:eventId:\s*)?|\bEventId\s*=\s*)(?<id>\d[\d_]*)", RegexOptions.CultureInvariant)]
    private static partial Regex EventId();
}
