using Mooring.Kernel.Options;

namespace Mooring.Chat.Configuration;

/// <summary>
/// The properties file: <c>key = value</c> or <c>key: value</c> lines, in a section <c>[chatserver]</c> or without any section; comments
/// begin with <c>#</c> or <c>;</c>. An empty value is none.
/// </summary>
internal static class PropertiesFile
{
    private const string Section = "chatserver";

    /// <summary>Bytes of a file that may be one of settings.</summary>
    private const long BytesMax = 1024 * 1024;

    /// <summary>The first of the usual places that has a file.</summary>
    internal static string? Find(string? home) => new[]
    {
        "config.properties",
        home is null ? null : Path.Combine(home, ".config/chatserver/config.properties"),
        "/etc/chatserver/config.properties",
    }.FirstOrDefault(path => path is not null && File.Exists(path));

    internal static Dictionary<string, string> Read(string path, OptionsErrors errors, List<string> warnings)
    {
        try
        {
            if (new FileInfo(path).Length > BytesMax)
            {
                errors.Add(path, $"is larger than {BytesMax} bytes");
                return [];
            }
            return Parse(File.ReadAllLines(path), path, errors, warnings);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            errors.Add("--config", path, exception is FileNotFoundException or DirectoryNotFoundException ? "there is no such file" : exception.Message);
            return [];
        }
    }

    internal static Dictionary<string, string> Parse(string[] lines, string path, OptionsErrors errors, List<string> warnings)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var isOurs = true;
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].Trim();
            if (line.Length == 0 || line[0] is '#' or ';') continue;
            if (line[0] == '[')
            {
                isOurs = line == $"[{Section}]";
                if (!isOurs) warnings.Add($"{path}, line {i + 1}: the section {line} is ignored, only [{Section}] is read");
                continue;
            }
            if (!isOurs) continue;
            var at = line.IndexOfAny(['=', ':']);
            if (at <= 0)
            {
                errors.Add($"{path}, line {i + 1}", line, "use key = value");
                continue;
            }
            var (key, value) = (line[..at].TrimEnd(), line[(at + 1)..].TrimStart());
            if (ChatKeys.All.All(known => known.Name != key)) warnings.Add(Unknown(path, i + 1, key));
            else if (value.Length > 0) values[key] = value;
        }
        return values;
    }

    private static string Unknown(string path, int line, string key)
    {
        var nearest = NearestName.Find(key, ChatKeys.All.Select(known => known.Name));
        return nearest is null ? $"{path}, line {line}: the key {key} is not known" : $"{path}, line {line}: the key {key} is not known; did you mean {nearest}?";
    }
}
