using System.Text.RegularExpressions;
using Mooring.Testing;

namespace Mooring.Architecture.Tests;

/// <summary>One C# file of the product: where it is, and its code without comments, strings and characters.</summary>
internal sealed record SourceFile(string Path, string Code)
{
    /// <summary>The project folder that holds it: Mooring.Mqtt for src/Mooring.Mqtt/Codec/X.cs.</summary>
    public string Project => Path.Split('/')[1];
}

internal static partial class SourceTree
{
    /// <summary>Every C# file below src, without what the build generates.</summary>
    public static IReadOnlyList<SourceFile> Files { get; } = [.. Read()];

    /// <summary>Takes comments, strings and characters out, so that a rule judges code and not words about code.</summary>
    public static string CodeOnly(string text) => NotCode().Replace(text, " ");

    /// <summary>Path below the root, with slashes.</summary>
    public static string Relative(string path) => Path.GetRelativePath(RepositoryRoot.Path, path).Replace('\\', '/');

    private static IEnumerable<SourceFile> Read() =>
        from path in Directory.EnumerateFiles(RepositoryRoot.Combine("src"), "*.cs", SearchOption.AllDirectories)
        let relative = Relative(path)
        where !relative.Contains("/obj/", StringComparison.Ordinal) && !relative.Contains("/bin/", StringComparison.Ordinal)
        orderby relative
        select new SourceFile(relative, CodeOnly(File.ReadAllText(path)));

    // Raw strings first, then verbatim, plain and characters; comments last, because strings may hold slashes.
    [GeneratedRegex("""
        "{3,}[\s\S]*?"{3,}|@\$?"(?:[^"]|"")*"|"(?:\\.|[^"\\\n])*"|'(?:\\.[^'\n]*|[^'\\\n])'|//[^\n]*|/\*[\s\S]*?\*/
        """, RegexOptions.CultureInvariant)]
    private static partial Regex NotCode();
}
