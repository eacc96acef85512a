using System.Globalization;
using Mooring.Kernel.Options;
using YamlDotNet.RepresentationModel;

namespace Mooring.Tunnel.Client.Configuration;

/// <summary>The fields of one mapping, with variables of the environment put in.</summary>
internal sealed class YamlFields(YamlMappingNode node, string prefix, OptionsErrors errors, Func<string, string?> variable)
{
    public void WarnUnknown(ReadOnlySpan<string> known)
    {
        foreach (var (key, _) in node.Children)
        {
            var name = (key as YamlScalarNode)?.Value ?? "";
            if (known.Contains(name)) continue;
            var meant = NearestName.Find(name, known.ToArray());
            errors.Warn(prefix + name, string.Create(CultureInfo.InvariantCulture, $"line {key.Start.Line}: nobody knows this key{(meant is null ? "" : $"; did you mean {meant}?")}"));
        }
    }

    /// <summary>Adds an error, with the line, when a condition does not hold.</summary>
    public void Require(bool holds, string key, string? value, string rule)
    {
        if (holds) return;
        var line = string.Create(CultureInfo.InvariantCulture, $"{rule} (line {(Find(key) ?? node).Start.Line})");
        if (value is null) errors.Add(prefix + key, line);
        else errors.Add(prefix + key, value, line);
    }

    public string? Text(string key) => Find(key) is YamlScalarNode { Value: { } value } ? Expand(value) : null;

    public IEnumerable<YamlNode> List(string key)
    {
        if (Find(key) is YamlSequenceNode list) return list.Children;
        Require(Find(key) is null, key, Text(key), "a list is needed");
        return [];
    }

    public int? Port(string key, bool isRequired)
    {
        var text = Text(key);
        if (text is null)
        {
            Require(!isRequired, key, null, "a port is needed");
            return null;
        }
        if (int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var port) && port is >= 1 and <= 65_535) return port;
        Require(false, key, text, "1 to 65535");
        return null;
    }

    /// <summary>A value that is exactly <c>${NAME}</c>, <c>${NAME:-default}</c> or <c>${NAME:default}</c>; unknown names without a default stay as they are.</summary>
    internal string Expand(string value)
    {
        if (!value.StartsWith("${", StringComparison.Ordinal) || !value.EndsWith('}') || value.IndexOf('}', StringComparison.Ordinal) != value.Length - 1) return value;
        var inner = value[2..^1];
        var colon = inner.IndexOf(':', StringComparison.Ordinal);
        var name = colon < 0 ? inner : inner[..colon];
        if (variable(name) is { } found) return found;
        return colon < 0 ? value : inner[(colon + 1)..].TrimStart('-');
    }

    private YamlNode? Find(string key)
    {
        foreach (var (name, value) in node.Children)
        {
            if (name is YamlScalarNode scalar && scalar.Value == key) return value;
        }
        return null;
    }
}
