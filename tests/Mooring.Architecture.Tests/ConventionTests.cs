using System.Text.RegularExpressions;
using System.Xml.Linq;
using Mooring.Testing;

namespace Mooring.Architecture.Tests;

/// <summary>Conventions that a reader may rely on anywhere.</summary>
public sealed partial class ConventionTests
{
    [Fact]
    public void Sources_HaveNoStubsAndNoUnexplainedToDo() => AssertNone(
        from folder in new[] { "src", "tests", "bench" }
        from path in Directory.EnumerateFiles(RepositoryRoot.Combine(folder), "*.cs", SearchOption.AllDirectories)
        let relative = SourceTree.Relative(path)
        where !relative.Contains("/obj/", StringComparison.Ordinal) && !relative.EndsWith("/ConventionTests.cs", StringComparison.Ordinal)
        from Match match in Unfinished().Matches(File.ReadAllText(path))
        select $"{relative}: {match.Value}");

    [Fact]
    public void Types_HaveNamesThatSayWhatTheyAre() => AssertNone(
        from file in SourceTree.Files
        from Match match in EmptyName().Matches(file.Code)
        select $"{file.Path}: {match.Value}");

    [Fact]
    public void OnlyCli_IsAProgram() => Assert.Equal(
        ["src/Mooring.Cli/Mooring.Cli.csproj"],
        from path in Projects("src")
        where XDocument.Load(RepositoryRoot.Combine(path)).Descendants("OutputType").Any(e => e.Value == "Exe")
        select path);

    [Fact]
    public void PackageVersions_StandInOnePlace() => AssertNone(
        from folder in new[] { "src", "tests", "bench" }
        from path in Projects(folder)
        from package in XDocument.Load(RepositoryRoot.Combine(path)).Descendants("PackageReference")
        where package.Attribute("Version") is not null || package.Attribute("VersionOverride") is not null
        select $"{path}: {package.Attribute("Include")?.Value} must take its version from Directory.Packages.props");

    [Theory]
    [InlineData("// TODO", true)]
    [InlineData("// TODO later", true)]
    [InlineData("// TODO: fix", true)]
    [InlineData("// TODO: remove when the oldest gateway speaks version 3", false)]
    [InlineData("throw new NotImplementedException();", true)]
    [InlineData("// FIXME: anything at all, even explained", true)]
    [InlineData("var todo = new Todo();", false)]
    public void Unfinished_IsRecognised(string code, bool expected) => Assert.Equal(expected, Unfinished().IsMatch(code));

    private static IEnumerable<string> Projects(string folder) => Directory
        .EnumerateFiles(RepositoryRoot.Combine(folder), "*.csproj", SearchOption.AllDirectories)
        .Select(SourceTree.Relative).Order(StringComparer.Ordinal);

    private static void AssertNone(IEnumerable<string> findings)
    {
        var all = findings.ToList();
        if (all.Count > 0) Assert.Fail(string.Join('\n', all));
    }

    // A reason is a sentence after a colon; an issue number alone says nothing to who reads the code.
    [GeneratedRegex(@"\bNotImplementedException\b|\b(?:FIXME|HACK)\b.*|\bTODO\b(?!: \w.{15,}).*")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"\b(?:class|struct|interface|enum|record)\s+\w+(?:Manager|Helpers?|Utils?|Impl|Base|Info)\b")]
    private static partial Regex EmptyName();
}
