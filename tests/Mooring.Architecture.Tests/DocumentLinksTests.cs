using Mooring.Testing;

namespace Mooring.Architecture.Tests;

public sealed class DocumentLinksTests
{
    public static TheoryData<string> Documents =>
    [
        .. Directory.EnumerateFiles(RepositoryRoot.Path, "*.md")
            .Concat(Directory.EnumerateFiles(RepositoryRoot.Combine("docs"), "*.md", SearchOption.AllDirectories))
            .Select(SourceTree.Relative).Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Documents))]
    public void EveryLinkedPath_Exists(string document) => Assert.Empty(
        DocumentLinks.Broken(RepositoryRoot.Path, document, File.ReadAllText(RepositoryRoot.Combine(document))));

    [Theory]
    [InlineData("see [a](docs/a.md#part) and ![b](img/b.png \"title\")", "docs/a.md", "img/b.png")]
    [InlineData("[a](<docs/a%20b.md>)", "docs/a b.md")]
    [InlineData("text\n[a]: ../LICENSE\n", "../LICENSE")]
    [InlineData("[a](https://example.org/x) [b](mailto:x@example.org) [c](#part) [d](//example.org)")]
    [InlineData("`[a](b.md)`\n```\n[a](c.md)\n```\n[a](d.md)", "d.md")]
    public void Links_AreFound(string markdown, params string[] expected) => Assert.Equal(expected, DocumentLinks.Paths(markdown));

    [Fact]
    public void BrokenLink_IsNamed() => Assert.Equal(
        ["docs/x.md: no-such-file.md does not exist", "docs/x.md: ../../outside leaves the sources"],
        DocumentLinks.Broken(RepositoryRoot.Path, "docs/x.md", "[a](no-such-file.md) [b](../../outside) [c](../README.md)"));
}
