using System.Text.RegularExpressions;

namespace Mooring.Cli.Tests.Observability;

/// <summary>A page of the Prometheus text format, read line by line as a scraper does.</summary>
internal sealed partial class MetricsPage
{
    internal Dictionary<string, string> Types { get; } = [];

    internal Dictionary<string, string> Helps { get; } = [];

    /// <summary>Name and labels of every sample, as often as it stands there.</summary>
    internal List<string> Series { get; } = [];

    /// <summary>Lines that are nothing that the format knows.</summary>
    internal List<string> Strange { get; } = [];

    /// <summary>What is said twice of one metric.</summary>
    internal List<string> Twice { get; } = [];

    internal static MetricsPage Read(string text)
    {
        var page = new MetricsPage();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Split(' ', 4) is ["#", "TYPE" or "HELP", var name, var rest])
            {
                if (!(line.StartsWith("# TYPE", StringComparison.Ordinal) ? page.Types : page.Helps).TryAdd(name, rest)) page.Twice.Add(line);
            }
            else if (Sample().Match(line) is { Success: true } sample) page.Series.Add(sample.Groups["series"].Value);
            else page.Strange.Add(line);
        }
        return page;
    }

    /// <summary>The metric that a sample belongs to: histograms have three names more.</summary>
    internal string FamilyOf(string name)
    {
        foreach (var part in new[] { "_bucket", "_sum", "_count" })
            if (name.EndsWith(part, StringComparison.Ordinal) && Types.GetValueOrDefault(name[..^part.Length]) == "histogram") return name[..^part.Length];
        return name;
    }

    internal bool Has(string name) => Types.ContainsKey(FamilyOf(name));

    [GeneratedRegex("""^(?<series>[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\.)*",?)*\})?) (NaN|[+-]Inf|-?[0-9.]+([eE][+-]?[0-9]+)?)$""")]
    private static partial Regex Sample();
}
