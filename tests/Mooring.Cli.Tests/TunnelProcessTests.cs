using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using Mooring.Testing;

namespace Mooring.Cli.Tests;

/// <summary>The tunnel's command line as a process, with real visitors (curl) and a real application (Python's server).</summary>
public sealed partial class TunnelProcessTests : MooringTest
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "mooring");

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-tunnel-").FullName;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private Dictionary<string, string?> Home => new() { ["HOME"] = _folder };

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private ProcessUnderTest Run(params string[] arguments) => Own(ProcessUnderTest.Start(Program, ["tunnel", .. arguments], Home));

    /// <summary>Starts a server on free ports; gives its address for clients and the visitors' port.</summary>
    private async Task<(ProcessUnderTest Process, string Server, int Http)> ServeAsync()
    {
        var process = Run("serve", "--port", "0", "--http-port", "0", "--data", Path.Combine(_folder, "data"));
        await process.LineAsync("Ctrl-C stops everything", TestTimeout);
        var control = process.Lines.Select(line => Control().Match(line)).First(match => match.Success).Groups[1].Value;
        var http = process.Lines.Select(line => Visitors().Match(line)).First(match => match.Success).Groups[1].Value;
        return (process, control, int.Parse(http, CultureInfo.InvariantCulture));
    }

    private async Task<int> StartPythonAsync()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "hello.txt"), "hello from python", TestTimeout);
        var port = FreePort.Next();
        Own(ProcessUnderTest.Start("python3", ["-u", "-m", "http.server", Text(port), "--bind", "127.0.0.1", "-d", _folder]));
        while (true)
        {
            using var probe = new TcpClient();
            try
            {
                await probe.ConnectAsync("127.0.0.1", port, TestTimeout);
                return port;
            }
            catch (SocketException)
            {
                TestTimeout.ThrowIfCancellationRequested();
            }
        }
    }

    [Fact]
    [Trait("Peer", "real")]
    public async Task Item22_Curl_reaches_pythons_server_through_a_tunnel_and_the_client_stops_cleanly()
    {
        var (_, server, http) = await ServeAsync();
        var port = await StartPythonAsync();
        var client = Run("http", Text(port), "-s", "demo", "--server", server);
        await client.LineAsync("Press Ctrl+C", TestTimeout);
        Assert.Contains($"http://demo.localhost:{http}", client.Lines);
        await using var curl = ProcessUnderTest.Start("curl", ["-sS", "-m", "20", "--resolve", $"demo.localhost:{http}:127.0.0.1", $"http://demo.localhost:{http}/hello.txt"]);
        Assert.Equal(0, await curl.ExitAsync(TestTimeout));
        Assert.Equal("hello from python", string.Join("", curl.Lines));
        await client.LineAsync("GET /hello.txt -> 200", TestTimeout);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_folder, ".retunnel.conf")));
        client.Interrupt();
        Assert.Equal(0, await client.ExitAsync(TestTimeout));
    }

    [Fact]
    public async Task Item49_50_Json_and_quiet_have_only_the_result_on_standard_output()
    {
        var (_, server, http) = await ServeAsync();
        var json = Run("http", "9", "-s", "json", "--server", server, "--json");
        var line = await json.LineAsync("{", TestTimeout);
        using var result = JsonDocument.Parse(line);
        Assert.Equal(
            ($"http://json.localhost:{http}", "http", 9, "json"),
            (result.RootElement.GetProperty("url").GetString(), result.RootElement.GetProperty("protocol").GetString(), result.RootElement.GetProperty("local_port").GetInt32(), result.RootElement.GetProperty("subdomain").GetString()));
        var quiet = Run("-q", "tcp", "9", "--server", server);
        Assert.Matches(@"^tcp://localhost:2\d{4}$", await quiet.LineAsync("tcp://", TestTimeout));
        Assert.Single(quiet.Lines);
        quiet.Terminate();
        Assert.Equal(0, await quiet.ExitAsync(TestTimeout));
    }

    [Fact]
    public async Task Item47_Start_publishes_every_tunnel_of_a_file_and_warns_of_unknown_keys()
    {
        var (_, server, _) = await ServeAsync();
        var file = Path.Combine(_folder, "retunnel.yml");
        await File.WriteAllTextAsync(file, "tunnels:\n  - {name: web, protocol: http, local_port: 9, subdomian: x}\n  - {name: db, protocol: tcp, local_port: 9}\n", TestTimeout);
        var client = Run("start", file, "--server", server);
        await client.LineAsync("web=http://", TestTimeout);
        await client.LineAsync("db=tcp://", TestTimeout);
        await client.LineAsync("line 2", TestTimeout);
    }

    [Theory]
    [InlineData(2, "http", "0")]
    [InlineData(2, "http", "99999")]
    [InlineData(2, "http")]
    [InlineData(2, "nonsense")]
    [InlineData(2, "http", "80", "-l", "LOUD")]
    [InlineData(2, "http", "80", "--auth", "nocolon")]
    [InlineData(2, "http", "80", "--unknown")]
    [InlineData(2, "start", "/no/such/file.yml")]
    [InlineData(2, "authtoken", "")]
    [InlineData(0, "version")]
    [InlineData(0, "--version")]
    [InlineData(0, "credits")]
    [InlineData(0, "config", "--path")]
    [InlineData(0, "authtoken", "abc")]
    public async Task Item47_48_Command_line_ends_with_its_code(int code, params string[] arguments)
    {
        var process = Run(arguments);
        Assert.Equal(code, await process.ExitAsync(TestTimeout));
    }

    [Theory]
    [InlineData("PORT: a value is needed", "http")]
    [InlineData("PORT: 'abc' is not allowed: 1 to 65535", "http", "abc")]
    [InlineData("--remote-port: '70000' is not allowed: 1 to 65535", "tcp", "22", "-r", "70000")]
    [InlineData("--remote-port: 'x' is not allowed: 1 to 65535", "tcp", "22", "-r", "x")]
    [InlineData("--subdomain: a value is needed", "http", "80", "-s")]
    [InlineData("--wire: 'c' is not allowed: one of a, b, A, B", "http", "80", "--wire", "c")]
    [InlineData("--account-tunnels: 'x' is not allowed: a number", "serve", "--account-tunnels", "x")]
    [InlineData("'ftp://a' is no server address: use HOST, HOST:PORT, ws://HOST:PORT or wss://HOST", "http", "80", "--token", "x", "--server", "ftp://a")]
    [InlineData("--ca: '/no/such' does not exist", "http", "80", "--token", "x", "--server", "127.0.0.1:1", "--ca", "/no/such")]
    public async Task Mistake_is_told_in_one_line_that_names_it(string line, params string[] arguments)
    {
        var process = Run(arguments);
        Assert.Equal(2, await process.ExitAsync(TestTimeout));
        Assert.Contains($"mooring: {line}", process.Lines);
    }

    [Theory]
    [InlineData("wss", "it does not speak TLS")]
    [InlineData("ws", "is it a tunnel server?")]
    public async Task Server_that_is_none_is_told_as_what_it_is(string scheme, string words)
    {
        var port = await StartPythonAsync();
        var client = Run("http", "80", "--token", "x", "--server", $"{scheme}://127.0.0.1:{Text(port)}");
        await client.LineAsync(words, TestTimeout);
        client.Interrupt();
        Assert.Equal(0, await client.ExitAsync(TestTimeout));
    }

    [Fact]
    public async Task Client_that_is_killed_and_started_again_has_its_name_and_a_second_one_ends_the_first()
    {
        var (_, server, http) = await ServeAsync();
        var first = Run("http", "9", "-s", "kept", "--server", server);
        await first.LineAsync("Press Ctrl+C", TestTimeout);
        first.Kill();
        await first.ExitAsync(TestTimeout);
        var second = Run("http", "9", "-s", "kept", "--server", server);
        await second.LineAsync($"http://kept.localhost:{http}", TestTimeout);
        var third = Run("http", "9", "-s", "kept", "--server", server);
        await third.LineAsync($"http://kept.localhost:{http}", TestTimeout);
        await second.LineAsync("a newer connection of the same account took over", TestTimeout);
        Assert.Equal(69, await second.ExitAsync(TestTimeout));
    }

    [Fact]
    public async Task Wrong_token_ends_with_69_and_is_not_replaced()
    {
        var (_, server, _) = await ServeAsync();
        var process = Run("http", "80", "--server", server, "--token", "wrong");
        Assert.Equal(69, await process.ExitAsync(TestTimeout));
        Assert.False(File.Exists(Path.Combine(_folder, ".retunnel.conf")));
    }

    [Fact]
    public async Task Item18_Saved_token_that_the_server_forgot_is_replaced_for_generation_A_only()
    {
        var (_, server, _) = await ServeAsync();
        var path = Path.Combine(_folder, ".retunnel.conf");
        await File.WriteAllTextAsync(path, "{\"auth_token\": \"forgotten\"}", TestTimeout);
        Assert.Equal(69, await Run("http", "80", "--server", server).ExitAsync(TestTimeout));
        Assert.Contains("forgotten", await File.ReadAllTextAsync(path, TestTimeout), StringComparison.Ordinal);
        var client = Run("http", "80", "--server", server, "--wire", "a");
        await client.LineAsync("Press Ctrl+C", TestTimeout);
        using var settings = JsonDocument.Parse(await File.ReadAllTextAsync(path, TestTimeout));
        Assert.Equal(43, settings.RootElement.GetProperty("auth_token").GetString()!.Length);
    }

    [Theory]
    [InlineData("-q", "--log-level", "debug", "version", "--json")]
    [InlineData("version", "--json", "-l", "DEBUG", "-q")]
    [InlineData("--json", "version")]
    public async Task Item51_shared_options_stand_on_either_side_of_the_command(params string[] arguments)
    {
        var process = Run(arguments);
        Assert.Equal(0, await process.ExitAsync(TestTimeout));
        Assert.Contains(process.Lines, line => line.StartsWith("{\"version\":", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--nonsense", "version")]
    [InlineData("version", "--nonsense")]
    public async Task Item52_unknown_options_are_refused_on_either_side(params string[] arguments) =>
        Assert.Equal(2, await Run(arguments).ExitAsync(TestTimeout));

    [Theory]
    [InlineData("-l", "-q", "version")]
    [InlineData("version", "-l", "-q")]
    public async Task Item53_value_that_looks_like_an_option_stays_a_value(params string[] arguments)
    {
        var process = Run(arguments);
        Assert.Equal(2, await process.ExitAsync(TestTimeout));
        Assert.Contains(process.Lines, line => line.Contains("--log-level: '-q' is not allowed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Item53_nothing_after_two_dashes_is_an_option()
    {
        var process = Run("authtoken", "--", "--json");
        Assert.Equal(0, await process.ExitAsync(TestTimeout));
        Assert.Contains("\"--json\"", await File.ReadAllTextAsync(Path.Combine(_folder, ".retunnel.conf"), TestTimeout), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Item54_token_is_taken_from_standard_input()
    {
        var process = Run("authtoken", "--stdin");
        await process.Input.WriteLineAsync("from-a-pipe");
        process.Input.Close();
        Assert.Equal(0, await process.ExitAsync(TestTimeout));
        Assert.Contains("\"from-a-pipe\"", await File.ReadAllTextAsync(Path.Combine(_folder, ".retunnel.conf"), TestTimeout), StringComparison.Ordinal);
        var empty = Run("authtoken", "--stdin");
        empty.Input.Close();
        Assert.Equal(2, await empty.ExitAsync(TestTimeout));
    }

    [Theory]
    [InlineData("429 Too Many Requests", 75)]
    [InlineData("503 Service Unavailable", 75)]
    [InlineData("400 Bad Request", 69)]
    public async Task Item90_registration_that_is_refused_for_now_ends_with_75(string status, int code)
    {
        using var server = new TcpListener(System.Net.IPAddress.Loopback, 0);
        server.Start();
        var answering = AnswerOnceAsync(server, $"{status}\r\nRetry-After: 7", "{\"detail\": \"not now\"}");
        Assert.Equal(code, await Run("http", "80", "--server", server.LocalEndpoint.ToString()!).ExitAsync(TestTimeout));
        await answering;
    }

    [Theory]
    [InlineData("add", true, false)]
    [InlineData("add", true, true)]
    [InlineData("add", false, false)]
    [InlineData("add", false, true)]
    public async Task Item91_hostname_that_is_new_is_told_what_DNS_needs_and_one_that_is_live_is_not(string verb, bool isLive, bool isJson)
    {
        const string Dns = """{"cname":{"name":"app.example.net","value":"tunnel.example.org"},"txt":{"name":"_retunnel-challenge.app.example.net","value":"prove-it"}}""";
        var state = $"{{\"hostname\":\"app.example.net\",\"verified\":{(isLive ? "true" : "false")},\"dns\":{Dns}}}";
        using var server = new TcpListener(System.Net.IPAddress.Loopback, 0);
        server.Start();
        var answering = AnswerOnceAsync(server, "200 OK", state);
        var process = Run(["hostname", verb, "app.example.net", "--server", server.LocalEndpoint.ToString()!, "--token", "secret", .. isJson ? ["--json"] : Array.Empty<string>()]);
        Assert.Equal(0, await process.ExitAsync(TestTimeout));
        await answering;
        string[] expected = isJson ? [state]
            : isLive ? ["app.example.net verified"]
            : ["app.example.net not verified", "Add to your DNS:", "  app.example.net CNAME tunnel.example.org", "  _retunnel-challenge.app.example.net TXT prove-it"];
        // Standard output and standard error come in no common order.
        Assert.Equal(expected.Order(StringComparer.Ordinal), process.Lines.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Broken_settings_are_told_and_left_alone()
    {
        var path = Path.Combine(_folder, ".retunnel.conf");
        await File.WriteAllTextAsync(path, "{broken", TestTimeout);
        var process = Run("http", "80");
        Assert.Equal(78, await process.ExitAsync(TestTimeout));
        Assert.Equal("{broken", await File.ReadAllTextAsync(path, TestTimeout));
    }

    private async Task AnswerOnceAsync(TcpListener server, string status, string body)
    {
        using var client = await server.AcceptTcpClientAsync(TestTimeout);
        await client.GetStream().ReadAtLeastAsync(new byte[4096], 1, cancellationToken: TestTimeout);
        await client.GetStream().WriteAsync(
            System.Text.Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}"), TestTimeout);
    }

    [GeneratedRegex(@"^\s+tunnel\s+http://(127\.0\.0\.1:\d+)")]
    private static partial Regex Control();

    [GeneratedRegex(@"http://NAME\.localhost:(\d+)")]
    private static partial Regex Visitors();
}
