using System.Text.RegularExpressions;
using Mooring.Testing;

namespace Mooring.Architecture.Tests;

/// <summary>What the documents name is there.</summary>
public sealed partial class DocumentTests
{
    private static readonly string[] Roots = ["src", "tests", "docs", "eng", "bench", "native", "deploy", "examples"];

    public static TheoryData<string> Documents() =>
        [.. Directory.EnumerateFiles(RepositoryRoot.Path, "*.md")
            .Concat(Directory.EnumerateFiles(RepositoryRoot.Combine("docs"), "*.md", SearchOption.AllDirectories))
            .Select(path => Path.GetRelativePath(RepositoryRoot.Path, path)).Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Documents))]
    public void PathsInBackticks_Exist(string document) => AssertNone(
        from Match match in Backticks().Matches(File.ReadAllText(RepositoryRoot.Combine(document)))
        let path = match.Groups[1].Value
        where IsPath(path) && !Exists(RepositoryRoot.Combine(path.TrimEnd('/')))
        select $"{document} names `{path}`, which does not exist");

    [Theory, MemberData(nameof(Documents))]
    public void Links_LeadSomewhere(string document) => AssertNone(
        from Match match in Link().Matches(File.ReadAllText(RepositoryRoot.Combine(document)))
        let target = match.Groups[1].Value.Split('#')[0]
        where target.Length > 0 && !target.Contains("://", StringComparison.Ordinal) && !target.StartsWith("mailto:", StringComparison.Ordinal)
            && !Exists(Path.Combine(Path.GetDirectoryName(RepositoryRoot.Combine(document))!, target))
        select $"{document} links to {target}, which does not exist");

    private static void AssertNone(IEnumerable<string> findings)
    {
        var all = findings.ToList();
        if (all.Count > 0) Assert.Fail(string.Join('\n', all));
    }

    private static bool IsPath(string text) => Roots.Contains(text.Split('/')[0]) && text.Contains('/', StringComparison.Ordinal);

    private static bool Exists(string path) => File.Exists(path) || Directory.Exists(path);

    // A path has no space, placeholder or wildcard in it.
    [GeneratedRegex(@"`([\w./-]+)`")]
    private static partial Regex Backticks();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
