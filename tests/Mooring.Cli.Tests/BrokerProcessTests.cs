using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Mooring.Testing;

namespace Mooring.Cli.Tests;

/// <summary><c>mooring broker</c> as a process, with mosquitto's clients as its users.</summary>
[Trait("Peer", "real")]
public sealed partial class BrokerProcessTests : MooringTest
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "mooring");
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-broker-").FullName;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Tls_without_files_uses_the_development_authority()
    {
        await using var broker = Broker("--port", "0", "--tls-port", "0");
        var port = await PortAsync(broker, "Tls");
        Assert.Equal(0, await PublishAsync(port, "--cafile", PathOf("mooring-data/tls/ca.pem")));
        Assert.NotEqual(0, await PublishAsync(port));
        broker.Terminate();
        Assert.Equal(0, await broker.ExitAsync(TestTimeout));
    }

    [Fact]
    public async Task Users_of_both_formats_connect_and_others_do_not()
    {
        await PasswdAsync("acme/car1", "one");
        await using (var foreign = ProcessUnderTest.Start("mosquitto_passwd", ["-b", PathOf("users"), "bob", "two"]))
            Assert.Equal(0, await foreign.ExitAsync(TestTimeout));
        await using var broker = Broker("--port", "0", "--users", "users");
        var port = await PortAsync(broker, "Tcp");
        Assert.Equal(0, await PublishAsync(port, "-u", "acme/car1", "-P", "one"));
        Assert.Equal(0, await PublishAsync(port, "-u", "bob", "-P", "two"));
        Assert.Equal(5, await PublishAsync(port, "-u", "bob", "-P", "three"));
        Assert.Equal(5, await PublishAsync(port));
    }

    [Fact]
    public async Task Hang_up_reads_users_and_rules_again_and_keeps_the_old_ones_when_they_are_wrong()
    {
        await PasswdAsync("ann", "one");
        await using var broker = Broker("--port", "0", "--users", "users");
        var port = await PortAsync(broker, "Tcp");
        await PasswdAsync("bob", "two");
        Assert.Equal(5, await PublishAsync(port, "-u", "bob", "-P", "two"));
        broker.HangUp();
        await broker.LineAsync("are read again", TestTimeout);
        Assert.Equal(0, await PublishAsync(port, "-u", "bob", "-P", "two"));

        await File.WriteAllTextAsync(PathOf("users"), "nonsense\n", TestTimeout);
        broker.HangUp();
        await broker.LineAsync("stays as it was: users:1: not of the form NAME:HASH", TestTimeout);
        Assert.Equal(0, await PublishAsync(port, "-u", "bob", "-P", "two"));
    }

    [Fact]
    public async Task Everything_wrong_is_told_at_once_and_ends_with_1()
    {
        await File.WriteAllTextAsync(PathOf("users"), "nonsense\nu:plain\n", TestTimeout);
        await File.WriteAllTextAsync(PathOf("broker.json"), """
            {
              "listeners": [
                { "port": 70000 },
                { "transport": "tsl" },
                { "transport": "tls", "address": "0.0.0.0", "certificate": "missing.pem" },
                { "address": "somewhere" }
              ],
              "usersFile": "users",
              "accessFile": "gone.json",
              "limitz": {}
            }
            """, TestTimeout);
        await using var broker = Broker("--config", "broker.json");
        Assert.Equal(1, await broker.ExitAsync(TestTimeout));
        string[] expected =
        [
            "limitz: unknown key; did you mean 'limits'?",
            "listeners[0].port: '70000' is not allowed: use a whole number from 0 to 65535",
            "listeners[1].transport: 'tsl' is not allowed: use one of tcp, tls, ws, wss",
            "listeners[3].address: 'somewhere' is not allowed: use an IP address, localhost, or * for all",
            "missing.pem' does not exist",
            "users:1: not of the form NAME:HASH",
            "users:2: the hash of 'u' cannot be read",
            "gone.json: the file does not exist",
        ];
        foreach (var part in expected)
            Assert.Contains(broker.Lines, line => line.StartsWith("mooring: broker.json: ", StringComparison.Ordinal) && line.Contains(part, StringComparison.Ordinal));
        Assert.DoesNotContain(broker.Lines, line => line.Contains("plain", StringComparison.Ordinal) || line.Contains("   at ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Config_file_opens_all_its_listeners()
    {
        await File.WriteAllTextAsync(PathOf("broker.json"), """
            {
              // comments are allowed
              "listeners": [
                { "port": 0 }, { "transport": "tls", "port": 0 }, { "transport": "ws", "port": 0 }, { "transport": "wss", "port": 0 },
              ],
              "access": [ { "allow": "publish", "topic": "open/#" } ],
              "limits": { "maximumPacketBytes": 2048 }
            }
            """, TestTimeout);
        await using var broker = Broker("--config", "broker.json");
        foreach (var transport in (string[])["Tcp", "Tls", "WebSocket", "SecureWebSocket"]) await PortAsync(broker, transport);
        var port = await PortAsync(broker, "Tcp");
        Assert.Contains("Not authorized", await PublishFiveAsync(port, "shut/a"), StringComparison.Ordinal);
        Assert.Equal("", await PublishFiveAsync(port, "open/a"));
    }

    [Fact]
    public async Task Taken_port_is_named_with_what_changes_it()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen(1);
        var port = ((IPEndPoint)taken.LocalEndPoint!).Port;
        await using var broker = Broker("--port", "0", "--tls-port", port.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(1, await broker.ExitAsync(TestTimeout));
        Assert.Equal(
            $"mooring: 127.0.0.1:{port} (MQTT over TLS) is in use by another process; choose another port with --tls-port",
            Assert.Single(broker.Lines));
    }

    [Theory]
    [InlineData("--bind 0.0.0.0 --port 0", "give a users file, or require client certificates")]
    [InlineData("--bind 0.0.0.0 --tls-port 0 --users users", "TLS needs a certificate and its key")]
    [InlineData("--tls-port 0 --client-certificates required --tls-cert server.pem", "client certificates need the authorities")]
    public async Task Listener_that_would_let_strangers_in_is_refused(string arguments, string reason)
    {
        await PasswdAsync("u", "p");
        await using var broker = Broker(arguments.Split(' '));
        Assert.Equal(1, await broker.ExitAsync(TestTimeout));
        Assert.Contains(broker.Lines, line => line.Contains(reason, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Flag_beside_a_config_file_is_a_usage_error()
    {
        await using var broker = Broker("--config", "broker.json", "--port", "0");
        Assert.Equal(2, await broker.ExitAsync(TestTimeout));
        Assert.Equal("mooring: --mqtt-port is not allowed together with --config: write it into the file", broker.Lines[0]);
    }

    [Fact]
    public async Task Beyond_loopback_with_users_is_served()
    {
        await PasswdAsync("u", "p");
        await using var broker = Broker("--bind", "*", "--port", "0", "--users", "users");
        var port = await PortAsync(broker, "Tcp");
        Assert.Equal(0, await PublishAsync(port, "-u", "u", "-P", "p"));
        Assert.Equal(5, await PublishAsync(port));
    }

    [Fact]
    public async Task Passwd_delete_says_when_there_is_no_such_user()
    {
        await PasswdAsync("u", "p");
        await using var deleting = ProcessUnderTest.Start(Program, ["broker", "passwd", "users", "v", "--delete"], folder: _folder);
        Assert.Equal(1, await deleting.ExitAsync(TestTimeout));
        Assert.Equal("mooring: users: there is no user 'v'", Assert.Single(deleting.Lines));
    }

    private string PathOf(string name) => Path.Combine(_folder, name);

    private ProcessUnderTest Broker(params string[] arguments) =>
        ProcessUnderTest.Start(Program, ["broker", .. arguments], folder: _folder);

    private async Task PasswdAsync(string user, string password)
    {
        await using var passwd = ProcessUnderTest.Start(
            Program, ["broker", "passwd", "users", user, "--iterations", "1000"], folder: _folder);
        await passwd.Input.WriteLineAsync(password);
        passwd.Input.Close();
        Assert.Equal(0, await passwd.ExitAsync(TestTimeout));
    }

    private async Task<string> PortAsync(ProcessUnderTest broker, string transport) =>
        PortPattern().Match(await broker.LineAsync($"({transport})", TestTimeout)).Groups[1].Value;

    private async Task<int> PublishAsync(string port, params string[] more)
    {
        await using var publisher = ProcessUnderTest.Start("mosquitto_pub", ["-p", port, "-t", "open/a", "-m", "x", "-q", "1", .. more]);
        return await publisher.ExitAsync(TestTimeout);
    }

    private async Task<string> PublishFiveAsync(string port, string topic)
    {
        await using var publisher = ProcessUnderTest.Start(
            "mosquitto_pub", ["-p", port, "-V", "mqttv5", "-t", topic, "-m", "x", "-q", "1"]);
        await publisher.ExitAsync(TestTimeout);
        return string.Join('\n', publisher.Lines);
    }

    [GeneratedRegex(@"listening on \S+:(\d+) \(")]
    private static partial Regex PortPattern();
}
