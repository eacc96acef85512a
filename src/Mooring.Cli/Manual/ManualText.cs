namespace Mooring.Cli.Manual;

/// <summary>
/// Reads what people write: <c># VERB</c>, paragraphs, then sections named as on the page, each with terms at the beginning of a line and their
/// texts indented below.
/// </summary>
internal static class ManualText
{
    /// <summary>The verbs' manuals by path, such as <c>tunnel http</c>.</summary>
    /// <exception cref="FormatException">The text is not of this form.</exception>
    internal static Dictionary<string, VerbManual> Read(IEnumerable<string> lines)
    {
        var all = new Dictionary<string, VerbManual>(StringComparer.Ordinal);
        VerbManual? manual = null;
        List<ManualEntry>? section = null;
        foreach (var line in lines)
        {
            if (line.StartsWith("# ", StringComparison.Ordinal))
            {
                (manual, section) = (new VerbManual(), null);
                if (!all.TryAdd(line[2..], manual)) throw new FormatException($"'{line}' is there twice");
            }
            else if (manual is null) throw new FormatException($"'{line}' stands before the first verb");
            else if (SectionOf(manual, line) is { } begun) section = begun;
            else if (line.Length > 0) Add(manual, section, line);
        }
        return all;
    }

    private static List<ManualEntry>? SectionOf(VerbManual manual, string line) => line switch
    {
        ManualPage.FilesHeading => manual.Files,
        ManualPage.EnvironmentHeading => manual.Environment,
        ManualPage.ExitStatusHeading => manual.ExitStatus,
        ManualPage.ExamplesHeading => manual.Examples,
        _ => null,
    };

    private static void Add(VerbManual manual, List<ManualEntry>? section, string line)
    {
        if (section is null) manual.Paragraphs.Add(line);
        else if (!char.IsWhiteSpace(line[0])) section.Add(new ManualEntry(line, ""));
        else if (section.Count == 0) throw new FormatException($"'{line}' explains nothing");
        else section[^1] = section[^1] with { Text = $"{section[^1].Text} {line.Trim()}".TrimStart() };
    }
}
