using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Mooring.Testing;

namespace Mooring.Cli.Tests;

/// <summary>The built program as a process: what a person sees, and what a supervisor relies on.</summary>
public sealed class UpProcessTests : MooringTest
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "mooring");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Up_prints_addresses_serves_health_and_metrics_and_ends_with_0_on_a_signal(bool interrupt)
    {
        await using var mooring = ProcessUnderTest.Start(Program, ["up", "--in-memory", "--mqtt-port", "0", "--http-port", "0", "--chat-port", "0", "--chat-http-port", "0", "--hub-port", "0", "--tunnel-port", "0", "--tunnel-http-port", "0"]);
        await mooring.LineAsync("Ctrl-C stops everything", TestTimeout);
        var health = mooring.Lines.Single(line => line.Contains("curl", StringComparison.Ordinal) && line.Contains("ready", StringComparison.Ordinal));
        var url = health[health.IndexOf("curl ", StringComparison.Ordinal)..][5..].Trim();
        using var http = new HttpClient();
        Assert.Contains("\"status\":\"ready\"", await http.GetStringAsync(new Uri(url), TestTimeout), StringComparison.Ordinal);
        var metrics = await http.GetStringAsync(new Uri(url.Replace("/health/ready", "/metrics", StringComparison.Ordinal)), TestTimeout);
        Assert.Contains("mooring_mqtt_broker_connections", metrics, StringComparison.Ordinal);

        if (interrupt)
        {
            mooring.Interrupt();
        }
        else
        {
            mooring.Terminate();
        }

        Assert.Equal(0, await mooring.ExitAsync(TestTimeout));
    }

    [Fact]
    public async Task Up_with_demo_has_cars_that_drive_and_stops_within_the_limit()
    {
        await using var mooring = ProcessUnderTest.Start(
            Program, ["up", "--demo", "--in-memory", "--mqtt-port", "0", "--http-port", "0", "--chat-port", "0", "--chat-http-port", "0", "--hub-port", "0", "--tunnel-port", "0", "--tunnel-http-port", "0", "--log-level", "Information"]);
        var row = await mooring.LineAsync("/api/fleet/cars", TestTimeout);
        Assert.Contains("company demo: 25 cars", row, StringComparison.Ordinal);
        for (var i = 1; i <= 5; i++) await mooring.LineAsync($"Car demo_{i}: session", TestTimeout);
        using var http = new HttpClient();
        var cars = await http.GetStringAsync(new Uri(row[row.IndexOf("http://", StringComparison.Ordinal)..].Trim() + "?state=running"), TestTimeout);
        Assert.Contains("\"demo_5\"", cars, StringComparison.Ordinal);
        mooring.Terminate();
        Assert.Equal(0, await mooring.ExitAsync(TestTimeout));
    }

    [Fact]
    public async Task Up_takes_the_fleet_of_a_file_and_names_its_errors()
    {
        var folder = Directory.CreateTempSubdirectory("mooring-up-").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "fleet.json"), "{}", TestTimeout);
            await using var mooring = ProcessUnderTest.Start(
                Program, ["up", "--data", folder, "--in-memory", "--mqtt-port", "0", "--http-port", "0", "--chat-port", "0", "--chat-http-port", "0", "--hub-port", "0", "--tunnel-port", "0", "--tunnel-http-port", "0"]);
            Assert.Equal(1, await mooring.ExitAsync(TestTimeout));
            Assert.Contains(mooring.Lines, line => line.Contains("fleet.json: cars: must be given", StringComparison.Ordinal));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Taken_ports_are_named_one_a_line_with_the_option_that_changes_them()
    {
        using var mqtt = Taken();
        using var http = Taken();
        await using var mooring = ProcessUnderTest.Start(
            Program, ["up", "--in-memory", "--mqtt-port", PortOf(mqtt), "--http-port", PortOf(http), "--chat-port", "0", "--chat-http-port", "0", "--hub-port", "0", "--tunnel-port", "0", "--tunnel-http-port", "0"]);
        Assert.Equal(1, await mooring.ExitAsync(TestTimeout));
        Assert.Equal(
            [
                $"mooring: 127.0.0.1:{PortOf(mqtt)} (MQTT) is in use by another process; choose another port with --mqtt-port",
                $"mooring: 127.0.0.1:{PortOf(http)} (operators) is in use by another process; choose another port with --http-port",
            ],
            mooring.Lines);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("up --mqtt-port 70000")]
    [InlineData("up --mqtt-port abc")]
    [InlineData("broker --no-such-option")]
    public async Task Wrong_command_line_is_explained_and_ends_with_2(string arguments)
    {
        await using var mooring = ProcessUnderTest.Start(Program, arguments.Split(' '));
        Assert.Equal(2, await mooring.ExitAsync(TestTimeout));
        Assert.StartsWith("mooring: ", mooring.Lines[0], StringComparison.Ordinal);
        Assert.DoesNotContain(mooring.Lines, line => line.Contains("   at ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("0.0.0.0", "anonymous clients are accepted on loopback addresses only")]
    [InlineData("not-an-address", "is not an IP address")]
    public async Task Broker_does_not_listen_where_it_may_not(string bind, string reason)
    {
        await using var mooring = ProcessUnderTest.Start(Program, ["broker", "--in-memory", "--bind", bind, "--mqtt-port", "0"]);
        Assert.Equal(1, await mooring.ExitAsync(TestTimeout));
        Assert.Contains(reason, Assert.Single(mooring.Lines), StringComparison.Ordinal);
    }

    private static string PortOf(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port.ToString(CultureInfo.InvariantCulture);

    private static Socket Taken()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(1);
        return socket;
    }
}
