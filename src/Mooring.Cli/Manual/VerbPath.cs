using System.CommandLine;
using Mooring.Kernel.Options;

namespace Mooring.Cli.Manual;

/// <summary>Names of verbs, from the program's down.</summary>
internal static class VerbPath
{
    /// <summary>The command's verbs, such as <c>tunnel http</c>; empty for the program itself.</summary>
    internal static string Of(Command command) =>
        string.Join(' ', Lineage(command).Where(each => each is not RootCommand).Reverse().Select(each => each.Name));

    /// <summary>The command and those above it, up to the program.</summary>
    internal static IEnumerable<Command> Lineage(Command command)
    {
        for (Command? each = command; each is not null; each = each.Parents.OfType<Command>().FirstOrDefault()) yield return each;
    }

    /// <summary>The command itself and all below it that a user is told of.</summary>
    internal static IEnumerable<Command> Descent(Command command) =>
        command.Subcommands.Where(each => !each.Hidden).SelectMany(Descent).Prepend(command);

    /// <summary>The verb at a path, or the line that says what is wrong with the path.</summary>
    internal static (Command? Verb, string? Problem) Find(Command root, IReadOnlyList<string> names)
    {
        var command = root;
        foreach (var name in names)
        {
            var below = command.Subcommands.Where(each => !each.Hidden).ToList();
            if (below.Find(each => each.Name == name) is { } next) command = next;
            else return (null, Problem(command, name, below));
        }
        return (command, null);
    }

    private static string Problem(Command command, string name, IReadOnlyList<Command> below)
    {
        var (place, what) = Of(command) is { Length: > 0 } path ? (path + " ", $"'{path}' has no verb '{name}'") : ("", $"there is no verb '{name}'");
        if (NearestName.Find(name, below.Select(each => each.Name)) is { } near) return $"{what}; did you mean '{place}{near}'?";
        return below.Count == 0 ? what : $"{what}; use one of {string.Join(", ", below.Select(each => each.Name))}";
    }
}
