using System.Text.RegularExpressions;

namespace Mooring.Architecture.Tests;

/// <summary>The relative links of a Markdown text.</summary>
internal static partial class DocumentLinks
{
    /// <summary>Targets that are paths, without anchor; addresses, anchors of the same page and examples in code are left out.</summary>
    public static IReadOnlyList<string> Paths(string markdown) =>
    [
        .. from match in Link().Matches(Code().Replace(markdown, ""))
           let target = match.Groups["target"].Value.Split('#')[0]
           where target.Length > 0 && !Address().IsMatch(target)
           select Uri.UnescapeDataString(target),
    ];

    /// <summary>One line for each link of a document that leads nowhere.</summary>
    /// <param name="root">The folder that links must not leave.</param>
    /// <param name="document">Path of the document below the root.</param>
    /// <param name="markdown">Its text.</param>
    public static IEnumerable<string> Broken(string root, string document, string markdown)
    {
        var folder = Path.GetDirectoryName(Path.Combine(root, document))!;
        foreach (var link in Paths(markdown))
        {
            var target = Path.GetFullPath(Path.Combine(folder, link));
            if (!target.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal)) yield return $"{document}: {link} leaves the sources";
            else if (!Path.Exists(target)) yield return $"{document}: {link} does not exist";
        }
    }

    [GeneratedRegex(@"^(?<fence>```+|~~~+)[\s\S]*?^\k<fence>|`[^`\n]+`", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex Code();

    [GeneratedRegex(@"\]\(\s*<?(?<target>[^)>\s]+)|^\[[^\]]+\]:\s*<?(?<target>[^>\s]+)", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex Link();

    [GeneratedRegex("^(?:[a-z][a-z0-9+.-]*:|//)", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Address();
}
