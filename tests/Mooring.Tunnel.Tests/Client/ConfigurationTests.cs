using Mooring.Kernel.Options;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Client.Configuration;

namespace Mooring.Tunnel.Tests.Client;

public sealed class ConfigurationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-tunnel-").FullName;

    private ClientSettingsFile File1 => new(Path.Combine(_folder, "sub", ".retunnel.conf"), TimeProvider.System);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Item55_58_MissingFile_GivesDefaults_AndIsNotMade()
    {
        var settings = File1.Read();
        Assert.Equal((null, null, true, 10_485_760), (settings.AuthToken, settings.ServerUrl, settings.SslVerify, settings.MaxMessageSize));
        Assert.False(File.Exists(File1.Path));
    }

    [Fact]
    public async Task Item60_Change_KeepsUnknownKeys_AndIsForTheOwnerOnly()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File1.Path)!);
        await File.WriteAllTextAsync(File1.Path, """{"api_key":"k","other":{"a":[1]},"server_url":"wss://x"}""", TestContext.Current.CancellationToken);
        await File1.SetAsync("auth_token", "t");
        var text = await File.ReadAllTextAsync(File1.Path, TestContext.Current.CancellationToken);
        Assert.Contains("\"api_key\": \"k\"", text, StringComparison.Ordinal);
        Assert.Contains("\"other\"", text, StringComparison.Ordinal);
        Assert.Equal(("t", "wss://x"), (File1.Read().AuthToken, File1.Read().ServerUrl));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(File1.Path));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"auth_token\":")]
    [InlineData("[1,2]")]
    public async Task Item59_BrokenFile_IsNeverOverwritten_ExceptByAToken_WhichKeepsIt(string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File1.Path)!);
        await File.WriteAllTextAsync(File1.Path, content, TestContext.Current.CancellationToken);
        Assert.Throws<ClientSettingsException>(() => File1.Read());
        await Assert.ThrowsAsync<ClientSettingsException>(() => File1.SetAsync("auth_token", "t"));
        Assert.Equal(content, await File.ReadAllTextAsync(File1.Path, TestContext.Current.CancellationToken));
        var aside = await File1.SetTokenAsync("t");
        Assert.Equal(content, await File.ReadAllTextAsync(aside!, TestContext.Current.CancellationToken));
        Assert.Matches(@"\.corrupt-\d+$", aside);
        Assert.Equal("t", File1.Read().AuthToken);
    }

    [Fact]
    public async Task Item55_PartialFile_IsFilledWithDefaults()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File1.Path)!);
        await File.WriteAllTextAsync(File1.Path, """{"ssl_verify":false}""", TestContext.Current.CancellationToken);
        var settings = File1.Read();
        Assert.Equal((null, null, false, 10_485_760), (settings.AuthToken, settings.ApiUrl, settings.SslVerify, settings.MaxMessageSize));
    }

    [Fact]
    public async Task Item56_57_EveryKeyOfTheFile_IsRead_AndWhatAnotherProgramWroteIsSeenNext()
    {
        const string All = """{"auth_token":"t","server_url":"wss://a","api_url":"https://b","ssl_verify":false,"max_message_size":7}""";
        var file = File1;
        Assert.Null(file.Read().AuthToken);
        Directory.CreateDirectory(Path.GetDirectoryName(file.Path)!);
        await File.WriteAllTextAsync(file.Path, All, TestContext.Current.CancellationToken);
        var read = file.Read();
        Assert.Equal(new ClientSettings { AuthToken = "t", ServerUrl = "wss://a", ApiUrl = "https://b", SslVerify = false, MaxMessageSize = 7 }, read);
        Assert.Equal(read, file.Read());
    }

    [Theory]
    [InlineData("auth_token")]
    [InlineData("api_key")]
    [InlineData("server_url")]
    [InlineData("api_url")]
    public async Task Item61_66_WhatIsSet_IsThereForTheNextProgram_UntilItIsCleared(string key)
    {
        await File1.SetAsync(key, "value");
        Assert.Equal("value", Of(File1.Read()));
        await File1.SetAsync(key, null);
        Assert.Equal(new ClientSettings(), File1.Read());

        string? Of(ClientSettings settings) => key switch
        {
            "auth_token" => settings.AuthToken,
            "api_key" => settings.ApiKey,
            "server_url" => settings.ServerUrl,
            _ => settings.ApiUrl,
        };
    }

    [Fact]
    public async Task Item67_ConcurrentWriters_LoseNoChange()
    {
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => File1.SetAsync($"key{i}", "v"))));
        var text = await File.ReadAllTextAsync(File1.Path, TestContext.Current.CancellationToken);
        Assert.All(Enumerable.Range(0, 20), i => Assert.Contains($"\"key{i}\"", text, StringComparison.Ordinal));
    }

    [Fact]
    public void Item64_TunnelFile_IsReadWithVariables()
    {
        var file = TunnelFile.Parse(
            """
            server_addr: ${SERVER:-localhost:6400}
            auth_token: ${TOKEN}
            tunnels:
              - name: web
                protocol: http
                local_port: 8080
                subdomain: my-app
                auth: ann:secret
              - {name: ssh, protocol: tcp, local_port: "${PORT:22}", remote_port: 20022}
              - {name: "${NOBODY}", protocol: http, local_port: 1, auth: "ann:${TOKEN}"}
            """, "retunnel.yml", name => name == "TOKEN" ? "t" : null);
        Assert.Equal(("localhost:6400", "t"), (file.Server, file.Token));
        // A variable that nobody set stays as it is, and so does one inside other text.
        Assert.Equal(("${NOBODY}", "ann:${TOKEN}"), (file.Tunnels[2].Name, file.Tunnels[2].Auth));
        Assert.Equal([("web", 8080, TunnelProtocol.Http), ("ssh", 22, TunnelProtocol.Tcp)], file.Tunnels.Take(2).Select(t => (t.Name!, t.LocalPort, t.Protocol)));
        Assert.Equal(20022, file.Tunnels[1].RemotePort);
        Assert.Empty(file.Warnings);
    }

    [Fact]
    public void UnknownKey_IsAWarningWithItsLine()
    {
        var file = TunnelFile.Parse("tunnels:\n  - name: a\n    protocol: http\n    local_port: 1\n    subdomian: x\n", "f.yml", _ => null);
        var warning = Assert.Single(file.Warnings);
        Assert.Contains("line 5", warning, StringComparison.Ordinal);
        Assert.Contains("subdomain", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void AllErrors_AreToldAtOnce()
    {
        var exception = Assert.Throws<ConfigurationException>(() => TunnelFile.Parse(
            """
            tunnels:
              - {name: a, protocol: ftp, local_port: 0}
              - {name: a, protocol: http, local_port: 70000, auth: nocolon, subdomain: -x}
            """, "f.yml", _ => null));
        Assert.Equal(6, exception.Errors.Count);
        Assert.Contains("Unsupported protocol", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Errors_HaveTheirLines_AndKeysThatNobodyKnowsAreAmongThem()
    {
        var exception = Assert.Throws<ConfigurationException>(() => TunnelFile.Parse(
            """
            tunnels:
              - name: web
                protocol: http
                local_prot: 80
                subdomain: same
              - name: web
                protocol: http
                local_port: 81
                subdomain: SAME
                auth: secret
              - {name: a, protocol: tcp, local_port: 1, remote_port: 7}
              - {protocol: tcp, local_port: 1, remote_port: 7}
            """, "f.yml", _ => null));
        Assert.Equal(
            [
                "f.yml: tunnels[0].local_port: a port is needed (line 2)",
                "f.yml: tunnels[1].auth: must be user:password (line 10)",
                "f.yml: tunnels[3].name: a name is needed (line 12)",
                "f.yml: tunnels[0] and tunnels[1]: 'web' is the name of both",
                "f.yml: tunnels[0] and tunnels[1]: 'same' is the subdomain of both",
                "f.yml: tunnels[2] and tunnels[3]: '7' is the remote_port of both",
                "f.yml: tunnels[0].local_prot: line 4: nobody knows this key; did you mean local_port?",
            ],
            exception.Message.Split('\n'));
    }

    [Theory]
    [InlineData("localhost:6400", "ws://localhost:6400", "http://localhost:6400")]
    [InlineData("127.0.0.1:1", "ws://127.0.0.1:1", "http://127.0.0.1:1")]
    [InlineData("[::1]:5", "ws://[::1]:5", "http://[::1]:5")]
    [InlineData("LOCALHOST", "ws://localhost", "http://localhost")]
    [InlineData("localhost.example.com", "wss://localhost.example.com", "https://localhost.example.com")]
    [InlineData("wss://retunnel.net", "wss://retunnel.net", "https://retunnel.net")]
    [InlineData("wss://retunnel.net/api/v1/ws/tunnel", "wss://retunnel.net", "https://retunnel.net")]
    [InlineData("ws://host:81/base/", "ws://host:81/base", "http://host:81/base")]
    [InlineData("https://host:8443", "wss://host:8443", "https://host:8443")]
    public void Item13_89_ServerAddress_IsUnderstood(string text, string control, string api)
    {
        var address = ControlAddress.Parse(text);
        Assert.Equal((control, api), (address.ToString(), address.Api));
    }

    [Theory]
    [InlineData("wss://retunnel.net", "http://localhost:8000", "keep", "https://keep.retunnel.net")]
    [InlineData("wss://retunnel.net", "http://keep.localhost", "keep", "https://keep.retunnel.net")]
    [InlineData("wss://retunnel.net", "http://127.0.0.1:8000", "keep", "https://keep.retunnel.net")]
    [InlineData("wss://retunnel.net", "http://127.0.0.1:8000", null, "http://127.0.0.1:8000")]
    [InlineData("wss://retunnel.net", "https://keep.retunnel.net", "keep", "https://keep.retunnel.net")]
    [InlineData("wss://retunnel.net", "https://localhost.example.org", "keep", "https://localhost.example.org")]
    [InlineData("localhost:6400", "http://keep.localhost:6480", "keep", "http://keep.localhost:6480")]
    [InlineData("ws://192.0.2.7:6400", "http://keep.localhost:6480", "keep", "http://keep.localhost:6480")]
    public void Item28_ServerThatCallsItselfLocalhost_IsKnownByTheNameItWasDialledWith(string server, string url, string? subdomain, string expected) =>
        Assert.Equal(expected, ControlAddress.Parse(server).PublicUrl(url, subdomain));

    [Theory]
    [InlineData("")]
    [InlineData("ftp://x")]
    [InlineData("a b")]
    [InlineData("host:99999")]
    public void AddressThatIsNone_IsRefused(string text) =>
        Assert.Equal(TunnelOutcome.Invalid, Assert.Throws<TunnelException>(() => ControlAddress.Parse(text)).Outcome);
}
