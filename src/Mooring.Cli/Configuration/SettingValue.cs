namespace Mooring.Cli.Configuration;

/// <summary>A setting as it takes effect.</summary>
/// <param name="Setting">Which one.</param>
/// <param name="Texts">Its value; several for a list, none when it is not set.</param>
/// <param name="Source">Where it comes from: an option, a variable, a file, or "default".</param>
internal sealed record SettingValue(Setting Setting, IReadOnlyList<string> Texts, string Source)
{
    internal const string Default = "default";
    private const string Mask = "(hidden)";

    internal bool IsSet => Source != Default;

    /// <summary>As a person may see it.</summary>
    internal string Shown => Texts.Count == 0 ? "(none)" : Setting.IsSecret ? Mask : string.Join(", ", Texts.Select(WithoutPassword));

    /// <summary>Connection strings of databases may contain a password.</summary>
    private static string WithoutPassword(string text)
    {
        if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.UserInfo.Contains(':', StringComparison.Ordinal))
            return text.Replace(uri.UserInfo[uri.UserInfo.IndexOf(':', StringComparison.Ordinal)..] + "@", ":" + Mask + "@", StringComparison.Ordinal);
        return string.Join(';', text.Split(';').Select(part =>
            part.TrimStart().StartsWith("password=", StringComparison.OrdinalIgnoreCase) ? "Password=" + Mask : part));
    }
}
