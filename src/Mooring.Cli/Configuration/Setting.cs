using System.CommandLine;
using System.Globalization;
using System.Text;

namespace Mooring.Cli.Configuration;

/// <summary>
/// One setting with its three names, all read off the option that declares it: <c>--mqtt-port</c> on the command line is <c>mqtt.port</c> in
/// the file and <c>MOORING_MQTT_PORT</c> in the environment.
/// </summary>
internal sealed class Setting
{
    private Setting(string section, string name, Option option, bool reloads)
    {
        Section = section;
        Name = name;
        Key = section.Length == 0 ? name : $"{section}.{name}";
        Variable = VariableOf(Key);
        Option = option;
        Shape = SettingShape.Of(option);
        Reloads = reloads;
    }

    /// <summary>The object of the file that it stands in; empty for the outermost.</summary>
    internal string Section { get; }

    /// <summary>The name in that object.</summary>
    internal string Name { get; }

    /// <summary>Path in the file.</summary>
    internal string Key { get; }

    /// <summary>Name in the environment.</summary>
    internal string Variable { get; }

    /// <summary>The option that declares it.</summary>
    internal Option Option { get; }

    internal SettingShape Shape { get; }

    /// <summary>Whether SIGHUP takes a change over; otherwise it waits for the next start.</summary>
    internal bool Reloads { get; }

    internal bool IsSecret => Option is IShapedOption { IsSecret: true };

    /// <summary>The default as texts; none when there is no default.</summary>
    internal IReadOnlyList<string> Standard => !Option.HasDefaultValue
        ? Shape.Type == SettingShape.Boolean ? ["false"] : []
        : Option.GetDefaultValue() switch
        {
            null => [],
            bool flag => [flag ? "true" : "false"],
            string[] list => list,
            Enum choice => [Shape.Choices?.FirstOrDefault(c => string.Equals(c, choice.ToString(), StringComparison.OrdinalIgnoreCase)) ?? choice.ToString()],
            var value => [Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""],
        };

    internal static Setting Of(string section, Option option, bool reloads)
    {
        var words = option.Name.TrimStart('-');
        if (section.Length > 0 && words.StartsWith(section + "-", StringComparison.Ordinal)) words = words[(section.Length + 1)..];
        return new Setting(section, CamelCase(words), option, reloads);
    }

    private static string CamelCase(string words)
    {
        var parts = words.Split('-');
        return parts[0] + string.Concat(parts.Skip(1).Select(part => char.ToUpperInvariant(part[0]) + part[1..]));
    }

    private static string VariableOf(string key)
    {
        var name = new StringBuilder(SettingTable.VariablePrefix);
        foreach (var letter in key)
        {
            if (char.IsUpper(letter)) name.Append('_');
            name.Append(letter == '.' ? '_' : char.ToUpperInvariant(letter));
        }
        return name.ToString();
    }
}
