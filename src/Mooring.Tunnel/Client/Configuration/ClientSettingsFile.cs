using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mooring.Kernel.Files;

namespace Mooring.Tunnel.Client.Configuration;

/// <summary>
/// The file <c>~/.retunnel.conf</c>. Reading never writes; a change is made under a lock on what the file says at that moment, keeps what this
/// program does not know, and replaces the file whole. A file that cannot be read is never overwritten, except by <see cref="SetTokenAsync"/>,
/// which sets it aside first.
/// </summary>
/// <param name="path">The file.</param>
/// <param name="time">Clock for the names of files set aside.</param>
public sealed class ClientSettingsFile(string path, TimeProvider time)
{
    /// <summary>How long to wait for another program that changes the file.</summary>
    private static readonly TimeSpan s_lockTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Where the file is.</summary>
    public string Path => path;

    /// <summary>The file in the user's home.</summary>
    /// <param name="time">The clock.</param>
    public static ClientSettingsFile OfUser(TimeProvider time) =>
        new(System.IO.Path.Combine(Environment.GetEnvironmentVariable("HOME") ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".retunnel.conf"), time);

    /// <summary>Reads the file; defaults when there is none.</summary>
    /// <exception cref="ClientSettingsException">It is there and cannot be read.</exception>
    public ClientSettings Read()
    {
        var content = ReadObject();
        return content is null
            ? new ClientSettings()
            : new ClientSettings
            {
                AuthToken = Text(content, "auth_token"),
                ApiKey = Text(content, "api_key"),
                ServerUrl = Text(content, "server_url"),
                ApiUrl = Text(content, "api_url"),
                SslVerify = content["ssl_verify"] is not JsonValue verify || !verify.TryGetValue(out bool isOn) || isOn,
                MaxMessageSize = content["max_message_size"] is JsonValue size && size.TryGetValue(out long bytes) ? bytes : new ClientSettings().MaxMessageSize,
            };
    }

    /// <summary>Changes one key; null removes its value.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <exception cref="ClientSettingsException">The file is there and cannot be read.</exception>
    public Task SetAsync(string key, string? value) => ChangeAsync(key, value, setsAside: false);

    /// <summary>Saves a token, even over a file that cannot be read: that is kept under another name.</summary>
    /// <param name="token">The token.</param>
    /// <returns>Where the unreadable file is now; null when there was none.</returns>
    public Task<string?> SetTokenAsync(string token) => ChangeAsync("auth_token", token, setsAside: true);

    private async Task<string?> ChangeAsync(string key, string? value, bool setsAside)
    {
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        await using var held = await LockAsync();
        string? aside = null;
        JsonObject? content;
        try
        {
            content = ReadObject();
        }
        catch (ClientSettingsException) when (setsAside)
        {
            aside = string.Create(CultureInfo.InvariantCulture, $"{path}.corrupt-{time.GetUtcNow().ToUnixTimeSeconds()}");
            File.Move(path, aside, overwrite: true);
            content = null;
        }
        content ??= [];
        content[key] = value;
        await AtomicFile.WriteAsync(
            path, System.Text.Encoding.UTF8.GetBytes(Print(content)), new AtomicFileOptions { Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        return aside;
    }

    private static string Print(JsonObject content)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, IndentSize = 2 })) content.WriteTo(writer);
        return System.Text.Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length) + "\n";
    }

    // A lock of the system on a file beside it: it goes with the process that holds it.
    private async Task<FileStream> LockAsync()
    {
        var started = time.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (time.GetElapsedTime(started) < s_lockTimeout)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), time);
            }
        }
    }

    private JsonObject? ReadObject()
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ClientSettingsException($"{path}: {exception.Message}");
        }
        try
        {
            return JsonNode.Parse(text) as JsonObject ?? throw new ClientSettingsException($"{path}: not a JSON object; it is left as it is");
        }
        catch (JsonException exception)
        {
            throw new ClientSettingsException($"{path}: no JSON (line {exception.LineNumber + 1}); it is left as it is. 'mooring tunnel authtoken TOKEN' sets it aside");
        }
    }

    private static string? Text(JsonObject content, string key) =>
        content[key] is JsonValue value && value.TryGetValue(out string? text) && text.Length > 0 ? text : null;
}
