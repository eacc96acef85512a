using System.Text.Json;
using System.Text.Json.Serialization;
using Mooring.Kernel.Files;

namespace Mooring.Tunnel.Client.Configuration;

/// <summary>
/// What a program that uses the library keeps in <c>config.json</c>: a server, a token, and tunnels. What the file does not say comes from
/// <c>RETUNNEL_SERVER_ADDR</c>, <c>RETUNNEL_AUTH_TOKEN</c>, <c>RETUNNEL_REGION</c> and <c>RETUNNEL_LOG_LEVEL</c>, then from the defaults here.
/// </summary>
public sealed record TunnelSettings
{
    private const string DefaultLogLevel = "INFO";

    /// <summary>The server. Default <see cref="TunnelClientOptions.DefaultServer"/>.</summary>
    public string ServerAddress { get; init; } = TunnelClientOptions.DefaultServer;

    /// <summary>Token of the account; null when there is none.</summary>
    public string? AuthToken { get; init; }

    /// <summary>Kept for servers that have regions; null when it is not said.</summary>
    public string? Region { get; init; }

    /// <summary>DEBUG, INFO, WARNING or ERROR. Default INFO.</summary>
    public string LogLevel { get; init; } = DefaultLogLevel;

    /// <summary>What to publish.</summary>
    public IReadOnlyList<TunnelDefinition> Tunnels { get; init; } = [];

    /// <summary>The file: in <c>RETUNNEL_CONFIG_DIR</c>, or in <c>~/.retunnel</c> when that is not set or empty.</summary>
    /// <param name="variable">A variable of the environment; null when it is not set.</param>
    public static string DefaultPath(Func<string, string?> variable)
    {
        ArgumentNullException.ThrowIfNull(variable);
        var home = variable("HOME") is { Length: > 0 } set ? set : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return Path.Combine(variable("RETUNNEL_CONFIG_DIR") is { Length: > 0 } folder ? folder : Path.Combine(home, ".retunnel"), "config.json");
    }

    /// <summary>Reads a file; one that is missing says nothing.</summary>
    /// <param name="variable">A variable of the environment; null when it is not set.</param>
    /// <param name="path">The file; null for <see cref="DefaultPath"/>.</param>
    /// <exception cref="ClientSettingsException">It is there and cannot be read.</exception>
    public static TunnelSettings Load(Func<string, string?> variable, string? path = null)
    {
        ArgumentNullException.ThrowIfNull(variable);
        var content = ReadContent(path ?? DefaultPath(variable));
        return new TunnelSettings
        {
            ServerAddress = content.ServerAddr ?? Set("RETUNNEL_SERVER_ADDR") ?? TunnelClientOptions.DefaultServer,
            AuthToken = content.AuthToken ?? Set("RETUNNEL_AUTH_TOKEN"),
            Region = content.Region ?? Set("RETUNNEL_REGION"),
            LogLevel = content.LogLevel ?? Set("RETUNNEL_LOG_LEVEL") ?? DefaultLogLevel,
            Tunnels = [.. (content.Tunnels ?? []).Select(tunnel => tunnel.ToDefinition())],
        };

        string? Set(string name) => variable(name) is { Length: > 0 } value ? value : null;
    }

    /// <summary>Writes the file, for its owner only and without what is not set; its folder is made when it is missing.</summary>
    /// <param name="path">The file, such as <see cref="DefaultPath"/>.</param>
    public Task SaveAsync(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var content = new SettingsContent(ServerAddress, AuthToken, Region, LogLevel, [.. Tunnels.Select(SettingsTunnel.Of)]);
        return AtomicFile.WriteAsync(
            path, JsonSerializer.SerializeToUtf8Bytes(content, SettingsJson.Default.SettingsContent),
            new AtomicFileOptions { Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
    }

    private static SettingsContent ReadContent(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), SettingsJson.Default.SettingsContent) ?? throw new ClientSettingsException($"{path}: not a JSON object");
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return new SettingsContent(null, null, null, null, null);
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new ClientSettingsException($"{path}: {exception.Message}");
        }
    }
}

/// <summary>The file as it is written.</summary>
internal sealed record SettingsContent(string? ServerAddr, string? AuthToken, string? Region, string? LogLevel, IReadOnlyList<SettingsTunnel>? Tunnels);

/// <summary>A tunnel in the file.</summary>
internal sealed record SettingsTunnel(
    string? Name, string? Protocol, int LocalPort, string? Subdomain, string? Hostname, string? Auth, int? RemotePort, bool? Inspect)
{
    public static SettingsTunnel Of(TunnelDefinition tunnel) => new(
        tunnel.Name, tunnel.Protocol == TunnelProtocol.Tcp ? "tcp" : "http", tunnel.LocalPort, tunnel.Subdomain, tunnel.Hostname, tunnel.Auth, tunnel.RemotePort,
        tunnel.Inspect ? null : false);

    public TunnelDefinition ToDefinition() => new()
    {
        Name = Name,
        Protocol = Protocol switch
        {
            null or "http" => TunnelProtocol.Http,
            "tcp" => TunnelProtocol.Tcp,
            _ => throw new ClientSettingsException($"Unsupported protocol '{Protocol}': http or tcp"),
        },
        LocalPort = LocalPort,
        Subdomain = Subdomain,
        Hostname = Hostname,
        Auth = Auth,
        RemotePort = RemotePort,
        Inspect = Inspect ?? true,
    };
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(SettingsContent))]
internal sealed partial class SettingsJson : JsonSerializerContext;
