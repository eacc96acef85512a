using System.CommandLine;
using System.CommandLine.Completions;
using System.Globalization;

namespace Mooring.Cli.Configuration;

/// <summary>The values that a setting may have: what a JSON schema says of them, and what is checked before the parser sees them.</summary>
/// <param name="Type">Word of JSON schema: integer, boolean or string.</param>
/// <param name="Minimum">Least number.</param>
/// <param name="Maximum">Greatest number.</param>
/// <param name="Choices">The only texts that are allowed; empty for any.</param>
/// <param name="IsList">Whether there may be several.</param>
/// <param name="IsPath">Whether it names a file, a folder or a socket.</param>
internal sealed record SettingShape(
    string Type, long? Minimum = null, long? Maximum = null, IReadOnlyList<string>? Choices = null, bool IsList = false, bool IsPath = false)
{
    internal const string Integer = "integer";
    internal const string Boolean = "boolean";
    internal const string Text = "string";

    /// <summary>Reads the shape off a declared option.</summary>
    internal static SettingShape Of(Option option)
    {
        if (option is IShapedOption { Shape: { } shape }) return shape;
        var isList = option.ValueType == typeof(string[]);
        if (option.ValueType == typeof(bool)) return new SettingShape(Boolean);
        if (option.ValueType == typeof(int) || option.ValueType == typeof(int?)) return new SettingShape(Integer);
        string[] choices = [.. option.GetCompletions(CompletionContext.Empty).Select(item => item.Label).Where(label => label.Length > 0)];
        return new SettingShape(Text, Choices: choices.Length == 0 ? null : choices, IsList: isList, IsPath: option.HelpName is "FILE" or "FOLDER" or "PATH");
    }

    /// <summary>What is wrong with a text; null when nothing is.</summary>
    internal string? Problem(string text) => Type switch
    {
        Integer => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            && number >= (Minimum ?? int.MinValue) && number <= (Maximum ?? int.MaxValue) ? null : Rule,
        Boolean => text is "true" or "false" ? null : Rule,
        _ => Choices is null || Choices.Contains(text, StringComparer.OrdinalIgnoreCase) ? null : Rule,
    };

    /// <summary>What is allowed, in words.</summary>
    internal string Rule => Type switch
    {
        Integer when Minimum is { } least && Maximum is { } most => string.Create(CultureInfo.InvariantCulture, $"{least} to {most}"),
        Integer => "a whole number",
        Boolean => "true or false",
        _ when Choices is { } choices => string.Join(", ", choices),
        _ => IsList ? "a text, or a list of texts" : "a text",
    };
}
