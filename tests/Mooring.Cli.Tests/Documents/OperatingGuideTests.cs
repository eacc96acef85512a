using System.CommandLine;
using System.Text.RegularExpressions;
using Mooring.Cli.Verbs;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Documents;

/// <summary>What the operating guide quotes and names is in the program.</summary>
public sealed partial class OperatingGuideTests
{
    private static readonly Lazy<IReadOnlyList<string>> Sources = new(() =>
        [.. Directory.EnumerateFiles(RepositoryRoot.Combine("src"), "*.cs", SearchOption.AllDirectories).SelectMany(File.ReadLines).Where(line => line.Contains('"', StringComparison.Ordinal))]);

    public static TheoryData<string> Messages =>
        [.. Rows(Page("troubleshooting.md")).SelectMany(row => Code().Matches(row[0])).Select(match => match.Groups["code"].Value).Where(text => text.Contains(' ', StringComparison.Ordinal) && !text.StartsWith("mooring", StringComparison.Ordinal))];

    public static TheoryData<string, string> Defaults =>
        [.. Rows(Page("sizing.md")).Where(row => SettingName().IsMatch(row[0])).Select(row => (row[0].Trim('`'), row[1]))];

    [Theory]
    [MemberData(nameof(Messages))]
    public void QuotedMessage_IsOneOfTheProgram(string message)
    {
        var pieces = message.Split("...").Select(piece => piece.Trim()).Where(piece => piece.Any(char.IsLetter)).ToList();
        Assert.NotEmpty(pieces);
        Assert.Contains(Sources.Value, line => pieces.TrueForAll(piece => line.Contains(piece, StringComparison.Ordinal)));
    }

    [Fact]
    public void Troubleshooting_HasTheProblemsOfAllSystems() => Assert.InRange(Messages.Count, 25, 200);

    [Theory]
    [MemberData(nameof(Defaults))]
    public void DefaultInSizing_IsTheOneOfTheProgram(string key, string standard)
    {
        var setting = UpArguments.AddTo(new Command("up")).Table.All.SingleOrDefault(each => each.Key == key);
        Assert.NotNull(setting);
        Assert.Equal(standard, string.Join(", ", setting.Standard));
    }

    [Fact]
    public void EverySettingThatAPageNames_Exists()
    {
        var known = UpArguments.AddTo(new Command("up")).Table.All.Select(setting => setting.Key).ToHashSet();
        Assert.Empty(
            from page in Document.All
            from span in page.Spans
            where SettingName().IsMatch($"`{span}`") && !known.Contains(span) && !NotSettings().IsMatch(span)
            select $"{page.Name}: `{span}`");
    }

    private static Document Page(string name) => Document.All.Single(page => page.Name == $"docs/operating/{name}");

    private static IEnumerable<string[]> Rows(Document page) =>
        page.Text.Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Select(line => line.Trim('|').Split(" | ").Select(cell => cell.Trim()).ToArray());

    [GeneratedRegex("`(?<code>[^`]+)`", RegexOptions.CultureInvariant)]
    private static partial Regex Code();

    [GeneratedRegex(@"^`(?:http|mqtt|fleet|chat|tunnel|hub|bridges)\.[a-z][a-zA-Z]+`$", RegexOptions.CultureInvariant)]
    private static partial Regex SettingName();

    /// <summary>Files and kinds of events look like settings.</summary>
    [GeneratedRegex(@"\.(?:json|db|log|properties|pid|lock|car)$|_", RegexOptions.CultureInvariant)]
    private static partial Regex NotSettings();
}
