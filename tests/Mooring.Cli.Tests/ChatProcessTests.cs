using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Mooring.Testing;

namespace Mooring.Cli.Tests;

/// <summary><c>mooring chat</c> as a process.</summary>
public sealed class ChatProcessTests : MooringTest
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "mooring");

    [Fact]
    public async Task Chat_names_its_ports_serves_and_ends_with_0_having_told_its_clients()
    {
        await using var mooring = ProcessUnderTest.Start(Program, ["chat", "--socket-port", "0", "--http-port", "0"]);
        var lines = await mooring.LineAsync("chat lines on 127.0.0.1:", TestTimeout);
        await mooring.LineAsync("chat HTTP and WebSocket on http://127.0.0.1:", TestTimeout);
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", int.Parse(lines[(lines.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture), TestTimeout);
        await client.GetStream().WriteAsync("HELLO main:a\n"u8.ToArray(), TestTimeout);
        using var reader = new StreamReader(client.GetStream(), Encoding.UTF8);
        Assert.Equal("OK HELLO main:a", await reader.ReadLineAsync(TestTimeout));
        mooring.Terminate();
        Assert.Equal("BYE shutdown the server is going down", await reader.ReadLineAsync(TestTimeout));
        client.Close();
        Assert.Equal(0, await mooring.ExitAsync(TestTimeout));
    }

    [Theory]
    [InlineData("socket", "chat lines on")]
    [InlineData("http", "chat HTTP and WebSocket on")]
    public async Task C32_a_mode_opens_its_listener_only(string mode, string expected)
    {
        await using var mooring = ProcessUnderTest.Start(Program, ["chat", "--mode", mode, "--socket-port", "0", "--http-port", "0"]);
        await mooring.LineAsync(expected, TestTimeout);
        mooring.Interrupt();
        Assert.Equal(0, await mooring.ExitAsync(TestTimeout));
        Assert.Single(mooring.Lines, line => line.StartsWith("chat ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task C31_a_second_server_on_the_same_port_fails_and_says_why()
    {
        await using var first = ProcessUnderTest.Start(Program, ["chat", "--mode", "socket", "--socket-port", "0"]);
        var line = await first.LineAsync("chat lines on 127.0.0.1:", TestTimeout);
        await using var second = ProcessUnderTest.Start(Program, ["chat", "--mode", "socket", "--socket-port", line[(line.LastIndexOf(':') + 1)..]]);
        Assert.Equal(1, await second.ExitAsync(TestTimeout));
        Assert.StartsWith("mooring: 127.0.0.1:", Assert.Single(second.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hangup_reads_the_log_level_again_and_opens_the_log_file_anew()
    {
        var folder = Directory.CreateTempSubdirectory("mooring-chat-").FullName;
        var (settings, log) = (Path.Combine(folder, "chat.properties"), Path.Combine(folder, "chat.log"));
        await File.WriteAllTextAsync(settings, $"mode = http\nhttp_port = 0\nlog_file = {log}\nlog_level = error\n", TestTimeout);
        await using var mooring = ProcessUnderTest.Start(Program, ["chat", "--config", settings]);
        await mooring.LineAsync("chat HTTP and WebSocket on", TestTimeout);
        Assert.Equal(0, new FileInfo(log).Length);
        File.Move(log, log + ".old");
        await File.WriteAllTextAsync(settings, $"mode = http\nhttp_port = 0\nlog_file = {log}\nlog_level = info\nuse_ssl = false\n", TestTimeout);
        mooring.HangUp();
        await mooring.LineAsync("settings are taken", TestTimeout);
        await Eventually.TrueAsync(() => File.Exists(log), "the new log file", TestTimeout);
        // The first may have been told just before the file was opened anew.
        mooring.HangUp();
        await Eventually.TrueAsync(() => File.ReadAllText(log).Contains("settings are taken", StringComparison.Ordinal), "the entry in the new log file", TestTimeout);
        mooring.Terminate();
        Assert.Equal(0, await mooring.ExitAsync(TestTimeout));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task C30_wrong_settings_are_all_told_and_end_with_2()
    {
        await using var mooring = ProcessUnderTest.Start(Program, ["chat", "--mode", "nonsense", "--max-clients", "0", "--use-ssl", "--socket-host", "0.0.0.0"]);
        Assert.Equal(2, await mooring.ExitAsync(TestTimeout));
        Assert.Equal(4, mooring.Lines.Count);
        Assert.All(mooring.Lines, line => Assert.StartsWith("mooring: ", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Print_config_shows_every_setting_and_where_it_comes_from()
    {
        await using var mooring = ProcessUnderTest.Start(Program, ["chat", "--max-clients", "7", "--admin-token", "secret", "--no-metrics-enabled", "--print-config"]);
        Assert.Equal(0, await mooring.ExitAsync(TestTimeout));
        Assert.Contains("max_clients = 7  # command line", mooring.Lines);
        Assert.Contains("metrics_enabled = false  # command line", mooring.Lines);
        Assert.Contains("socket_port = 10010  # default", mooring.Lines);
        Assert.Contains("admin_token = (hidden)  # command line", mooring.Lines);
    }
}
