using System.CommandLine;
using System.CommandLine.Help;
using System.Globalization;

namespace Mooring.Cli.Manual;

/// <summary>The page of a verb: what the parser knows of it, and what its manual says.</summary>
internal sealed class ManualPage(TextWriter output, PageStyle style)
{
    internal const string FilesHeading = "FILES";
    internal const string EnvironmentHeading = "ENVIRONMENT";
    internal const string ExitStatusHeading = "EXIT STATUS";
    internal const string ExamplesHeading = "EXAMPLES";

    private const int TextIndent = 4;
    private const int EntryIndent = 8;

    /// <summary>What every verb's exit status means.</summary>
    private static readonly ManualEntry[] ExitStatusOfAll =
    [
        new("0", "Done, or stopped by a signal."),
        new("1", "Something named on a line is wrong: configuration, a file, a port, a peer."),
        new("2", "The command line is wrong."),
        new("130", "A second signal ended it at once."),
    ];

    internal void Write(Command command, VerbManual manual)
    {
        Heading("NAME");
        Text($"mooring {VerbPath.Of(command)} - {command.Description}", TextIndent, hanging: EntryIndent);
        Heading("SYNOPSIS");
        Text(Synopsis(command), TextIndent, hanging: EntryIndent);
        Heading("DESCRIPTION");
        for (var i = 0; i < manual.Paragraphs.Count; i++)
        {
            if (i > 0) output.WriteLine();
            Text(manual.Paragraphs[i], TextIndent);
        }
        Entries("COMMANDS", command.Subcommands.Where(each => !each.Hidden).Select(each => new ManualEntry(each.Name, each.Description ?? "")));
        Entries("ARGUMENTS", command.Arguments.Where(each => !each.Hidden).Select(each => new ManualEntry(each.Name, Explain(each.Description, each.HasDefaultValue ? each.GetDefaultValue() : null))));
        Entries("OPTIONS", OptionsOf(command).Select(EntryOf));
        Entries(FilesHeading, manual.Files);
        Entries(EnvironmentHeading, manual.Environment);
        Entries(ExitStatusHeading, ExitStatusOfAll.Where(each => manual.ExitStatus.TrueForAll(own => own.Term != each.Term))
            .Concat(manual.ExitStatus).OrderBy(each => int.Parse(each.Term, CultureInfo.InvariantCulture)));
        Entries(ExamplesHeading, manual.Examples);
    }

    /// <summary>The list of all verbs.</summary>
    internal void WriteContents(RootCommand root)
    {
        Text(root.Description ?? "", indent: 0);
        Entries("VERBS", VerbPath.Descent(root).Skip(1).Select(each => new ManualEntry(VerbPath.Of(each), each.Description ?? "")));
        output.WriteLine();
        Text("'mooring help VERB' says all there is to a verb.", indent: 0);
    }

    private static string Synopsis(Command command)
    {
        var words = new List<string> { "mooring", VerbPath.Of(command) };
        if (command.Subcommands.Count > 0) words.Add(command.Action is null ? "COMMAND" : "[COMMAND]");
        foreach (var argument in command.Arguments.Where(each => !each.Hidden))
        {
            var name = argument.Name + (argument.Arity.MaximumNumberOfValues > 1 ? "..." : "");
            words.Add(argument.Arity.MinimumNumberOfValues == 0 || argument.HasDefaultValue ? $"[{name}]" : name);
        }
        words.Add("[OPTIONS]");
        return string.Join(' ', words);
    }

    /// <summary>The command's own options and those that it has from above.</summary>
    private static IEnumerable<Option> OptionsOf(Command command) =>
        VerbPath.Lineage(command).SelectMany(each => each == command ? each.Options : each.Options.Where(option => option.Recursive))
            .Where(option => !option.Hidden && option is not HelpOption);

    private static ManualEntry EntryOf(Option option)
    {
        var value = option.ValueType == typeof(bool) ? "" : $" {option.HelpName ?? option.Name.TrimStart('-').ToUpperInvariant()}";
        var standard = option.HasDefaultValue && option.ValueType != typeof(bool) ? option.GetDefaultValue() : null;
        return new ManualEntry(string.Join(", ", option.Aliases.Prepend(option.Name).OrderBy(name => name.Length)) + value, Explain(option.Description, standard));
    }

    private static string Explain(string? description, object? standard)
    {
        var text = standard switch
        {
            string[] list => string.Join(", ", list),
            _ => Convert.ToString(standard, CultureInfo.InvariantCulture),
        };
        return string.IsNullOrEmpty(text) ? description ?? "" : $"{description} [{text}]";
    }

    private void Heading(string text)
    {
        if (text != "NAME") output.WriteLine();
        output.WriteLine(style.IsBold ? $"\e[1m{text}\e[0m" : text);
    }

    private void Entries(string heading, IEnumerable<ManualEntry> entries)
    {
        var isFirst = true;
        foreach (var entry in entries)
        {
            if (isFirst) Heading(heading);
            isFirst = false;
            // Terms are typed, or looked for: they stay whole.
            output.WriteLine(new string(' ', TextIndent) + entry.Term);
            Text(entry.Text, EntryIndent);
        }
    }

    /// <summary>Breaks a text into lines between words.</summary>
    private void Text(string text, int indent, int? hanging = null)
    {
        var line = new string(' ', indent);
        var isEmpty = true;
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!isEmpty && line.Length + 1 + word.Length > style.Width)
            {
                output.WriteLine(line);
                (line, isEmpty) = (new string(' ', hanging ?? indent), true);
            }
            line += isEmpty ? word : " " + word;
            isEmpty = false;
        }
        if (!isEmpty) output.WriteLine(line);
    }
}
