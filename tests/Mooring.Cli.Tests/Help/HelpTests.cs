using System.CommandLine;
using Mooring.Cli.Manual;
using Mooring.Cli.Verbs;

namespace Mooring.Cli.Tests.Help;

/// <summary>The pages of all verbs, against the parser that they tell of.</summary>
public sealed class HelpTests
{
    private static readonly RootCommand Root = RootVerb.Create();

    [Fact]
    public void VerbThatIsAskedForByName_IsMadeAlone() => Assert.All(
        RootVerb.Verbs, verb => Assert.Equal([verb.Name], RootVerb.Create([verb.Name, "--help"]).Subcommands.Select(command => command.Name)));

    [Theory]
    [InlineData]
    [InlineData("--help")]
    [InlineData("help", "tunnel")]
    [InlineData("tunel")]
    public void WithoutAKnownVerb_ThereAreAll(params string[] args) =>
        Assert.Equal([.. RootVerb.Verbs.Select(verb => verb.Name), "help"], RootVerb.Create(args).Subcommands.Select(command => command.Name));
    private static readonly Dictionary<string, VerbManual> Book = ManualBook.Read();

    public static TheoryData<string> Verbs => [.. VerbPath.Descent(Root).Skip(1).Select(VerbPath.Of)];

    [Fact]
    public void Manual_HasTheVerbsOfTheParserAndNoOthers() =>
        Assert.Equal(VerbPath.Descent(Root).Skip(1).Select(VerbPath.Of).Order(StringComparer.Ordinal), Book.Keys.Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Verbs))]
    public void EveryVerb_IsDescribedAndHasExamplesThatTheParserTakes(string path)
    {
        var manual = Book[path];
        Assert.NotEmpty(manual.Paragraphs);
        Assert.NotEmpty(manual.Examples);
        foreach (var example in manual.Examples)
        {
            Assert.NotEmpty(example.Text);
            var words = ShellLine.Words(example.Term);
            Assert.Equal("mooring", words[0]);
            var parsed = Root.Parse([.. words.Skip(1)]);
            Assert.Equal("", ShellLine.Problems(parsed));
            var verb = VerbPath.Of(parsed.CommandResult.Command);
            Assert.True(verb == path || verb.StartsWith(path + " ", StringComparison.Ordinal), $"'{example.Term}' is an example of '{verb}'");
        }
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void EveryPage_HasAllOptionsOfTheParserAndFitsItsWidth(string path)
    {
        var command = VerbPath.Find(Root, path.Split(' ')).Verb!;
        var output = new StringWriter();
        new ManualPage(output, PageStyle.Plain).Write(command, Book[path]);
        var lines = output.ToString().Split('\n');
        string[] headings = [.. lines.Where(line => line.Length > 0 && line[0] != ' ')];
        Assert.Equal(["NAME", "SYNOPSIS", "DESCRIPTION"], headings[..3]);
        Assert.Equal(["EXIT STATUS", "EXAMPLES"], headings[^2..]);
        foreach (var option in command.Options.Where(option => !option.Hidden && option.Name != "--help"))
            Assert.Contains(lines, line => line.Trim().Split(' ', ',').Contains(option.Name));
        // Terms, four characters in, are typed and stay whole.
        Assert.All(lines, line => Assert.True(line.Length <= PageStyle.Plain.Width || line.StartsWith("    ", StringComparison.Ordinal) && line[4] != ' ', line));
        Assert.DoesNotContain('\e', output.ToString());
    }

    [Fact]
    public void Text_OfAnotherForm_IsRefused()
    {
        Assert.Throws<FormatException>(() => ManualText.Read(["words before a verb"]));
        Assert.Throws<FormatException>(() => ManualText.Read(["# up", "# up"]));
        Assert.Throws<FormatException>(() => ManualText.Read(["# up", "FILES", "    of nothing"]));
    }
}
