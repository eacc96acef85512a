using Mooring.Tunnel.Client;
using Mooring.Tunnel.Client.Configuration;

namespace Mooring.Tunnel.Tests.Client;

public sealed class TunnelSettingsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-tunnel-").FullName;
    private readonly Dictionary<string, string> _variables = new(StringComparer.Ordinal);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string? Variable(string name) => _variables.GetValueOrDefault(name);

    [Theory]
    [InlineData(null, "/home/ann/.retunnel/config.json")]
    [InlineData("", "/home/ann/.retunnel/config.json")]
    [InlineData("/etc/tunnels", "/etc/tunnels/config.json")]
    public void Item62_ConfigDir_IsObeyed_AndAnEmptyOneIsTheDefault(string? folder, string expected)
    {
        _variables["HOME"] = "/home/ann";
        if (folder is not null) _variables["RETUNNEL_CONFIG_DIR"] = folder;
        Assert.Equal(expected, TunnelSettings.DefaultPath(Variable));
    }

    [Fact]
    public void Item63_65_MissingFile_LeavesTheVariables_AndThenTheDefaults()
    {
        _variables["RETUNNEL_CONFIG_DIR"] = _folder;
        Assert.Equal(new TunnelSettings { Tunnels = [] } with { ServerAddress = "localhost:6400", LogLevel = "INFO" }, TunnelSettings.Load(Variable) with { Tunnels = [] });
        (_variables["RETUNNEL_SERVER_ADDR"], _variables["RETUNNEL_AUTH_TOKEN"]) = ("tunnel.example.org", "t");
        (_variables["RETUNNEL_REGION"], _variables["RETUNNEL_LOG_LEVEL"]) = ("eu", "DEBUG");
        var settings = TunnelSettings.Load(Variable);
        Assert.Equal(("tunnel.example.org", "t", "eu", "DEBUG"), (settings.ServerAddress, settings.AuthToken, settings.Region, settings.LogLevel));
    }

    [Fact]
    public async Task Item65_SavedFile_HasNoNulls_AndIsReadBack_BeforeTheVariables()
    {
        _variables["RETUNNEL_CONFIG_DIR"] = Path.Combine(_folder, "not", "yet");
        _variables["RETUNNEL_SERVER_ADDR"] = "other.example.org";
        var saved = new TunnelSettings
        {
            ServerAddress = "tunnel.example.org",
            Tunnels = [new TunnelDefinition { Name = "web", LocalPort = 8080, Subdomain = "demo" }, new TunnelDefinition { Name = "db", Protocol = TunnelProtocol.Tcp, LocalPort = 5432, Inspect = false }],
        };
        var path = TunnelSettings.DefaultPath(Variable);
        await saved.SaveAsync(path);
        Assert.DoesNotContain("null", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        var loaded = TunnelSettings.Load(Variable);
        Assert.Equal(saved.Tunnels, loaded.Tunnels);
        Assert.Equal(saved with { Tunnels = [] }, loaded with { Tunnels = saved.Tunnels } with { Tunnels = [] });
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("""{"tunnels":[{"protocol":"ftp"}]}""")]
    public async Task FileThatCannotBeUsed_IsToldAndLeft(string content)
    {
        var path = Path.Combine(_folder, "config.json");
        await File.WriteAllTextAsync(path, content, TestContext.Current.CancellationToken);
        Assert.Throws<ClientSettingsException>(() => TunnelSettings.Load(Variable, path));
        Assert.Equal(content, await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
    }
}
