namespace Mooring.Kernel.Options;

/// <summary>One thing that is wrong in a configuration.</summary>
/// <param name="Key">Full path of the key, such as <c>cars[2].company</c>; empty for the configuration as a whole.</param>
/// <param name="Value">The value as given; null when it is missing or must not be shown.</param>
/// <param name="Rule">What is allowed.</param>
public sealed record OptionsError(string Key, string? Value, string Rule)
{
    /// <summary>The line that a person reads.</summary>
    /// <returns>Key, value and rule in one line.</returns>
    public override string ToString()
    {
        var key = Key.Length == 0 ? "" : Key + ": ";
        return Value is null ? key + Rule : $"{key}'{OneLine(Value)}' is not allowed: {Rule}";
    }

    private static string OneLine(string value)
    {
        value = value.ReplaceLineEndings(" ");
        return value.Length <= 80 ? value : string.Concat(value.AsSpan(0, 77), "...");
    }
}
