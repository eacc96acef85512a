using System.CommandLine;
using System.Text.Json;
using System.Text.RegularExpressions;
using Mooring.Cli.Hosting;
using Mooring.Cli.Manual;
using Mooring.Cli.Tests.Help;
using Mooring.Cli.Verbs;

namespace Mooring.Cli.Tests.Documents;

/// <summary>What README.md and docs/ tell people to type and to write, against the parser and the reader of the configuration.</summary>
public sealed partial class DocumentCommandTests
{
    private static readonly RootCommand Root = RootVerb.Create();
    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    public static TheoryData<string, string> Commands => [.. Document.All.SelectMany(page => page.Commands.Select(line => (page.Name, line)))];

    public static TheoryData<string, string> Configurations => [.. Document.All.SelectMany(page => page.Blocks.Where(IsConfiguration).Select(block => (page.Name, block.Text)))];

    [Theory]
    [MemberData(nameof(Commands))]
    public void CommandInABlock_IsTakenByTheParser(string page, string line)
    {
        Assert.EndsWith(".md", page, StringComparison.Ordinal);
        // What is in brackets may be left out.
        foreach (var form in new[] { Optional().Replace(line, ""), line.Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal) })
        {
            var words = ShellLine.Words(Alternatives().Replace(form, "${first}")).Skip(1).ToArray();
            Assert.Equal("", ShellLine.Problems(Root.Parse(words)));
        }
    }

    [Fact]
    public void CommandInASentence_NamesVerbsAndOptionsThatExist()
    {
        var wrong = new List<string>();
        foreach (var page in Document.All)
        {
            foreach (var span in page.Spans.Where(span => Mentioned().IsMatch(span)))
            {
                var words = ShellLine.Words(span).Skip(1).Where(word => word.Length > 0).ToList();
                if (words.Count == 0 || words[0].Any(char.IsUpper)) continue;
                var command = (Command)Root;
                foreach (var word in words)
                {
                    if (command.Subcommands.FirstOrDefault(each => each.Name == word.Split('|')[0]) is not { } below) break;
                    command = below;
                }
                if (command is RootCommand && !words[0].StartsWith('-')) wrong.Add($"{page.Name}: `{span}`: no such verb");
                var known = VerbPath.Lineage(command).SelectMany(each => each.Options).SelectMany(option => option.Aliases.Prepend(option.Name)).ToHashSet();
                wrong.AddRange(words.Select(word => word.Trim('[', ']').Split('=')[0]).Where(word => word.StartsWith("--", StringComparison.Ordinal) && !known.Contains(word))
                    .Select(word => $"{page.Name}: `{span}`: no such option {word}"));
            }
        }
        Assert.Empty(wrong);
    }

    [Theory]
    [MemberData(nameof(Configurations))]
    public void ConfigurationInABlock_IsGood(string page, string json)
    {
        Assert.EndsWith(".md", page, StringComparison.Ordinal);
        var folder = Directory.CreateTempSubdirectory("mooring-docs-").FullName;
        try
        {
            var path = Path.Combine(folder, "mooring.json");
            File.WriteAllText(path, json);
            var command = new Command("up");
            var arguments = UpArguments.AddTo(command);
            var configuration = arguments.Reader(new Dictionary<string, string>()).Read(command.Parse(["--config", path]));
            Assert.Empty(configuration.Warnings);
            try
            {
                arguments.Read(configuration.Parsed);
            }
            catch (UserErrorException exception)
            {
                // The files that it names are the reader's own.
                Assert.All(exception.Lines, line => Assert.Matches("no such file|Could not find|does not exist", line));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Documents_HaveCommandsAndConfigurationsToLookAt()
    {
        Assert.InRange(Commands.Count, 40, int.MaxValue);
        Assert.InRange(Configurations.Count, 2, int.MaxValue);
    }

    /// <summary>JSON with at least one of the outermost keys of mooring.json.</summary>
    private static bool IsConfiguration((string Language, string Text) block)
    {
        if (block.Language != "json" || !block.Text.StartsWith('{')) return false;
        using var json = JsonDocument.Parse(block.Text, Lenient);
        var table = UpArguments.AddTo(new Command("up")).Table;
        return json.RootElement.EnumerateObject().Any(member => member.Value.ValueKind == JsonValueKind.Object && table.Sections.Contains(member.Name));
    }

    [GeneratedRegex(@" ?\[[^\]]*\]", RegexOptions.CultureInvariant)]
    private static partial Regex Optional();

    [GeneratedRegex(@"(?<=\s)(?<first>[\w.-]+)(?:\|[\w.-]+)+", RegexOptions.CultureInvariant)]
    private static partial Regex Alternatives();

    [GeneratedRegex(@"^(?:\./)?mooring ", RegexOptions.CultureInvariant)]
    private static partial Regex Mentioned();
}
