using System.Text.Json;
using Mooring.Kernel.Options;

namespace Mooring.Cli.Configuration;

/// <summary>Reads <c>mooring.json</c>: an object of sections, with comments and trailing commas as people write them.</summary>
internal static class ConfigurationFile
{
    internal const string Name = "mooring.json";
    private const string SchemaKey = "$schema";

    /// <summary>The values of a file as the command line would have them; what is wrong goes to the errors.</summary>
    internal static Dictionary<Setting, IReadOnlyList<string>> Read(string path, SettingTable table, OptionsErrors errors)
    {
        var root = JsonReading.Load(path, errors, JsonLeniency.Comments);
        var values = new Dictionary<Setting, IReadOnlyList<string>>();
        if (!root.ExpectObject()) return values;
        string[] sections = [.. table.Sections];
        ReadObject(root, [.. table.All.Where(setting => setting.Section.Length == 0)], [SchemaKey, .. sections]);
        foreach (var section in sections)
        {
            if (root[section] is { Exists: true } reading && reading.ExpectObject())
                ReadObject(reading, [.. table.All.Where(setting => setting.Section == section)], []);
        }
        return values;

        void ReadObject(JsonReading reading, IReadOnlyList<Setting> settings, string[] others)
        {
            reading.ReportUnknown(asWarning: false, [.. settings.Select(setting => setting.Name), .. others]);
            foreach (var twice in reading.Members().GroupBy(member => member.Name).Where(group => group.Count() > 1))
                errors.Add(twice.First().Value.Path, "is given twice");
            foreach (var setting in settings)
            {
                if (reading[setting.Name] is { Exists: true } value && Texts(setting, value) is { } texts)
                    values[setting] = setting.Shape.IsPath ? [.. texts.Select(text => Beside(path, text))] : texts;
            }
        }
    }

    private static IReadOnlyList<string>? Texts(Setting setting, JsonReading value)
    {
        if (setting.Shape.IsList && value.Kind == JsonValueKind.Array)
        {
            var items = value.Items().Select(item => Scalar(setting, item)).ToList();
            return items.Contains(null) ? null : [.. items.OfType<string>()];
        }
        return Scalar(setting, value) is { } text ? [text] : null;
    }

    private static string? Scalar(Setting setting, JsonReading value)
    {
        var element = value.Element.GetValueOrDefault();
        var (text, isOfType) = value.Kind switch
        {
            JsonValueKind.String => (element.GetString()!, setting.Shape.Type == SettingShape.Text),
            JsonValueKind.Number => (element.GetRawText(), setting.Shape.Type == SettingShape.Integer),
            JsonValueKind.True => ("true", setting.Shape.Type == SettingShape.Boolean),
            JsonValueKind.False => ("false", setting.Shape.Type == SettingShape.Boolean),
            JsonValueKind.Object => ("{...}", false),
            _ => (value.Kind == JsonValueKind.Array ? "[...]" : "", false),
        };
        if (text.Length == 0 && isOfType) value.Errors.Add(value.Path, "must not be empty; leave the key out for the default");
        else if (!isOfType || setting.Shape.Problem(text) is not null)
            value.Errors.Add(value.Path, setting.IsSecret ? "" : text, "use " + setting.Shape.Rule);
        else return text;
        return null;
    }

    /// <summary>Files are named as they lie beside the configuration, from wherever the program is started.</summary>
    private static string Beside(string path, string named)
    {
        if (Path.IsPathRooted(named) || named.StartsWith("~/", StringComparison.Ordinal)) return named;
        var folder = Path.GetDirectoryName(path);
        return string.IsNullOrEmpty(folder) ? named : Path.Combine(folder, named);
    }
}
