using System.Collections;
using System.CommandLine;
using Mooring.Cli.Hosting;
using Mooring.Kernel.Options;

namespace Mooring.Cli.Configuration;

/// <summary>
/// Puts the layers together: an option that was typed, else a variable, else the file, else the default. A value of a lower layer becomes an
/// argument that nobody had to type, so that one parser and one set of checks read them all.
/// </summary>
internal sealed class ConfigurationReader
{
    private readonly SettingTable _table;
    private readonly Setting _config;
    private readonly Setting? _data;
    private readonly IReadOnlyDictionary<string, string> _environment;

    /// <param name="table">The settings.</param>
    /// <param name="config">The option that names the file.</param>
    /// <param name="data">The option that names the data folder, where the file may lie; null where a file is read only when it is named.</param>
    /// <param name="environment">The variables; null for those of the process.</param>
    internal ConfigurationReader(SettingTable table, Option config, Option? data, IReadOnlyDictionary<string, string>? environment = null)
    {
        _table = table;
        _config = table.All.Single(setting => setting.Option == config);
        _data = data is null ? null : table.All.Single(setting => setting.Option == data);
        _environment = environment ?? ReadEnvironment();
    }

    /// <exception cref="UserErrorException">With everything that is wrong.</exception>
    internal EffectiveConfiguration Read(ParseResult typed)
    {
        var lines = new List<string>();
        var warnings = new List<string>();
        var fromVariables = ReadVariables(lines, warnings);
        var file = FindFile(typed, fromVariables);
        var fromFile = file is null ? [] : ReadFile(file, lines);
        var values = new List<SettingValue>(_table.All.Count);
        foreach (var setting in _table.All)
        {
            if (Typed(typed, setting) is { } texts) values.Add(new SettingValue(setting, texts, setting.Option.Name));
            else if (fromVariables.TryGetValue(setting, out var variable)) values.Add(new SettingValue(setting, variable, setting.Variable));
            else if (fromFile.TryGetValue(setting, out var value)) values.Add(new SettingValue(setting, value, file!));
            else values.Add(new SettingValue(setting, setting.Standard, SettingValue.Default));
        }
        foreach (var value in values.Where(value => value.Source == file || value.Source == value.Setting.Variable)) Check(value, lines);
        if (lines.Count > 0) throw new UserErrorException(lines);
        var parsed = Parse(values.Where(value => value.IsSet).SelectMany(Arguments));
        return parsed.Errors.Count == 0
            ? new EffectiveConfiguration(parsed, values, file, warnings)
            : throw new UserErrorException([.. parsed.Errors.Select(error => error.Message)]);
    }

    private static IEnumerable<string> Arguments(SettingValue value) => value.Texts.Select(text => $"{value.Setting.Option.Name}={text}");

    /// <summary>With the command's name before: the parser takes a first argument that ends in it, such as --data-dir=/srv/agent, for the name of the program.</summary>
    private ParseResult Parse(IEnumerable<string> arguments) => _table.Command.Parse([_table.Command.Name, .. arguments]);

    /// <summary>What only the option's own validator knows.</summary>
    private void Check(SettingValue value, List<string> lines)
    {
        var name = value.Setting.Option.Name;
        var place = value.Source == value.Setting.Variable ? value.Source : $"{value.Source}: {value.Setting.Key}";
        foreach (var error in Parse(Arguments(value)).Errors)
            lines.Add($"{place}: {(error.Message.StartsWith(name + ": ", StringComparison.Ordinal) ? error.Message[(name.Length + 2)..] : error.Message)}");
    }

    private static IReadOnlyList<string>? Typed(ParseResult parsed, Setting setting)
    {
        if (parsed.GetResult(setting.Option) is not { Implicit: false } result) return null;
        // A flag without a value is switched on.
        return result.Tokens.Count == 0 ? ["true"] : [.. result.Tokens.Select(token => token.Value)];
    }

    private Dictionary<Setting, IReadOnlyList<string>> ReadVariables(List<string> lines, List<string> warnings)
    {
        var values = new Dictionary<Setting, IReadOnlyList<string>>();
        foreach (var setting in _table.All)
        {
            if (!_environment.TryGetValue(setting.Variable, out var text) || text.Length == 0) continue;
            IReadOnlyList<string> texts = setting.Shape.IsList ? text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) : [text];
            if (setting.Shape.Type == SettingShape.Boolean) texts = [text.ToLowerInvariant()];
            if (texts.FirstOrDefault(one => setting.Shape.Problem(one) is not null) is { } wrong)
                lines.Add($"{setting.Variable}: '{(setting.IsSecret ? "" : wrong)}' is not allowed: use {setting.Shape.Rule}");
            else values.Add(setting, texts);
        }
        var known = _table.All.Select(setting => setting.Variable).ToList();
        // Not an error: a container platform puts variables of its own, such as MOORING_SERVICE_HOST, beside ours.
        foreach (var name in _environment.Keys.Where(name => name.StartsWith(SettingTable.VariablePrefix, StringComparison.Ordinal) && !known.Contains(name)))
            if (NearestName.Find(name, known) is { } near) warnings.Add($"the variable {name} is unknown; did you mean {near}?");
        return values;
    }

    private string? FindFile(ParseResult typed, Dictionary<Setting, IReadOnlyList<string>> variables)
    {
        if (Given(_config) is { } named) return named;
        if (_data is null) return null;
        if (File.Exists(ConfigurationFile.Name)) return ConfigurationFile.Name;
        var beside = Path.Combine(Given(_data) ?? _data.Standard[0], ConfigurationFile.Name);
        return File.Exists(beside) ? beside : null;

        string? Given(Setting setting) => Typed(typed, setting)?[0] ?? variables.GetValueOrDefault(setting)?[0];
    }

    private Dictionary<Setting, IReadOnlyList<string>> ReadFile(string file, List<string> lines)
    {
        var errors = new OptionsErrors();
        try
        {
            var values = ConfigurationFile.Read(file, _table, errors);
            if (values.Remove(_config)) errors.Add(_config.Key, "cannot stand in the file itself");
            lines.AddRange(errors.All.Select(error => $"{file}: {error}"));
            return values;
        }
        catch (ConfigurationException exception)
        {
            lines.AddRange(exception.Message.Split('\n'));
            return [];
        }
    }

    private static Dictionary<string, string> ReadEnvironment() => Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
        .ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "", StringComparer.Ordinal);
}
