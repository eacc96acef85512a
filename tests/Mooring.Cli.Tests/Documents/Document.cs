using System.Text.RegularExpressions;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Documents;

/// <summary>A page that people read, taken apart.</summary>
/// <param name="Name">Its path below the root.</param>
/// <param name="Text">Its Markdown.</param>
internal sealed partial record Document(string Name, string Text)
{
    /// <summary>README.md and all pages below docs/.</summary>
    internal static IReadOnlyList<Document> All { get; } =
    [
        .. Directory.EnumerateFiles(RepositoryRoot.Combine("docs"), "*.md", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Prepend(RepositoryRoot.Combine("README.md"))
            .Select(path => new Document(Path.GetRelativePath(RepositoryRoot.Path, path), File.ReadAllText(path))),
    ];

    /// <summary>The blocks between fences, with the word behind the opening one.</summary>
    internal IEnumerable<(string Language, string Text)> Blocks =>
        Fence().Matches(Text).Select(match => (match.Groups["language"].Value, match.Groups["text"].Value));

    /// <summary>Command lines that blocks tell people to type: those of this program, without the remark behind them.</summary>
    internal IEnumerable<string> Commands => Blocks.SelectMany(block => block.Text.Split('\n')).Select(line => Command().Match(line))
        .Where(match => match.Success).Select(match => "mooring" + match.Groups["rest"].Value);

    /// <summary>What stands between backquotes in a text.</summary>
    internal IEnumerable<string> Spans => Code().Matches(Fence().Replace(Text, "")).Select(match => match.Groups["code"].Value.Replace("\\|", "|", StringComparison.Ordinal));

    [GeneratedRegex(@"^(?<fence>```+)(?<language>[a-z]*)[^\n]*\n(?<text>[\s\S]*?)^\k<fence>", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"^\s*(?:\$ )?(?:sudo )?(?:\./)?mooring(?<rest>(?: [^\s]+)+)(?:\s{2,}.*)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Command();

    [GeneratedRegex("`(?<code>[^`\n]+)`", RegexOptions.CultureInvariant)]
    private static partial Regex Code();
}
