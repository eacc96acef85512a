using System.CommandLine;
using System.CommandLine.Help;

namespace Mooring.Cli.Configuration;

/// <summary>The settings of a command: every option that was declared on it, in sections. There is no other list of them.</summary>
internal sealed class SettingTable(Command command)
{
    internal const string VariablePrefix = "MOORING_";

    private readonly List<Setting> _all = [];

    internal Command Command => command;

    internal IReadOnlyList<Setting> All => _all;

    /// <summary>Names of the objects in the file.</summary>
    internal IEnumerable<string> Sections => _all.Select(setting => setting.Section).Where(name => name.Length > 0).Distinct();

    /// <summary>Has options declared on the command, and takes them for the settings of one section.</summary>
    /// <param name="name">Name of the object in the file; empty for the outermost.</param>
    /// <param name="declare">Adds options to the command.</param>
    /// <param name="reloads">Which of them SIGHUP takes over; null for none.</param>
    internal T Section<T>(string name, Func<Command, T> declare, Func<T, Option, bool>? reloads = null)
    {
        var before = command.Options.ToHashSet();
        var declared = declare(command);
        foreach (var option in command.Options.Where(option => option is not HelpOption && !before.Contains(option)))
            _all.Add(Setting.Of(name, option, reloads?.Invoke(declared, option) ?? false));
        return declared;
    }

    /// <summary>The same for options that are already at hand.</summary>
    internal void Section(string name, Func<Option, bool>? reloads, params ReadOnlySpan<Option> options)
    {
        foreach (var option in options)
        {
            command.Options.Add(option);
            _all.Add(Setting.Of(name, option, reloads?.Invoke(option) ?? false));
        }
    }
}
