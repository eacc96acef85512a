namespace Mooring.Cli.Manual;

/// <summary>The manuals of all verbs, as they lie in the program.</summary>
internal static class ManualBook
{
    internal const string Prefix = "manual/";

    internal static Dictionary<string, VerbManual> Read()
    {
        var assembly = typeof(ManualBook).Assembly;
        var book = new Dictionary<string, VerbManual>(StringComparer.Ordinal);
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            foreach (var (path, manual) in ManualText.Read(reader.ReadToEnd().Split('\n')))
                book.Add(path, manual);
        }
        return book;
    }
}
