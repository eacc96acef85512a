using System.Globalization;
using Mooring.Kernel.Tls;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Fleet;

/// <summary><c>mooring car</c> as a process, against <c>mooring fleet</c> and <c>mooring up</c>.</summary>
[Trait("Peer", "real")]
public sealed class CarProcessTests : FleetProcessTest
{
    private static readonly string[] Names = ["car_1", "car_2", "car_3", "car_4", "car_5"];

    [Fact]
    public async Task Cars_driveOverMosquitto_andComeBack_whenItIsRestarted()
    {
        var broker = Own(new Mosquitto(Folder));
        await broker.StartAsync(TestTimeout);
        Configure(broker.Port, cars: Names);
        StartFleet();
        var cars = StartCars("company", $"mqtt://localhost:{broker.Port}", "--count", "5", "--rate", "20", "--report", "0.1", "--reconnect-delay", "0.1");
        await cars.LineAsync("5 of 5 connected", TestTimeout);
        await cars.LineAsync(line => Commands(line) > 0, "with commands", TestTimeout);
        await broker.StopAsync();
        await cars.LineAsync("0 of 5 connected", TestTimeout);
        await broker.StartAsync(TestTimeout);
        var wasDown = false;
        await cars.LineAsync(
            line =>
            {
                wasDown |= line.StartsWith("0 of 5", StringComparison.Ordinal);
                return wasDown && line.StartsWith("5 of 5", StringComparison.Ordinal) && Commands(line) > 0;
            },
            "with all cars back", TestTimeout);
        cars.Interrupt();
        Assert.Equal(0, await cars.ExitAsync(TestTimeout));
    }

    [Theory]
    [InlineData("per-car")]
    [InlineData("shared")]
    public async Task Cars_driveOverMutualTls(string connections)
    {
        using var authority = DevelopmentAuthority.LoadOrCreate(Path.Combine(Folder, "ca"), TimeProvider.System);
        var broker = Own(new Mosquitto(Folder, authority));
        await broker.StartAsync(TestTimeout);
        Configure(broker.Port, cars: Names);
        var server = authority.Client("server");
        var fleet = StartFleet("--tls", "--ca", authority.AuthorityPath, "--cert", server.Certificate!, "--key", server.Key!);
        var files = authority.Client("gateways");
        var cars = StartCars(
            "company", $"mqtts://localhost:{broker.Port}", "--count", "5", "--connections", connections, "--report", "0.1",
            "--ca", authority.AuthorityPath, "--cert", files.Certificate!, "--key", files.Key!);
        await cars.LineAsync("5 of 5 connected", TestTimeout);
        // Devices take leave, so that the server need not wait for a time-out.
        cars.Terminate();
        Assert.Equal(0, await cars.ExitAsync(TestTimeout));
        await fleet.LineAsync("no device is left", TestTimeout);
    }

    [Fact]
    public async Task EchoAsFastAsAnswered_againstUp_endsByItself_andTellsTheTimes()
    {
        var port = FreePort.Next();
        var up = Own(ProcessUnderTest.Start(
            Program, ["up", "--mqtt-port", Text(port), "--http-port", "0", "--chat-port", "0", "--chat-http-port", "0", "--tunnel-port", "0", "--tunnel-http-port", "0", "--in-memory", "--data", Path.Combine(Folder, "data")]));
        await up.LineAsync("Ctrl-C stops everything.", TestTimeout);
        var cars = StartCars("demo", $"mqtt://127.0.0.1:{port}", "--devices", "echo,echo", "--rate", "max", "--for", "3");
        Assert.Equal(0, await cars.ExitAsync(TestTimeout));
        Assert.Contains("Car car_1 of company demo at mqtt://127.0.0.1:" + port, cars.Lines[0], StringComparison.Ordinal);
        Assert.Matches(@"^1 of 1 connected, \d+\.\d statuses/s answered \(p50 \S+ ms, p99 \S+ ms\), \d+\.\d commands/s, 0 session\(s\) ended$", cars.Lines[^1]);
        Assert.True(Commands(cars.Lines[^1]) > 0);
    }

    [Fact]
    public async Task Demo_hasCarsDrive_onTheirOwn_andEndsWithoutAWord()
    {
        var up = Own(ProcessUnderTest.Start(
            Program,
            ["up", "--demo", "--in-memory", "--mqtt-port", "0", "--http-port", "0", "--chat-port", "0", "--chat-http-port", "0", "--tunnel-port", "0", "--tunnel-http-port", "0", "--data", Path.Combine(Folder, "data")]));
        await up.LineAsync("Ctrl-C stops everything.", TestTimeout);
        var row = up.Lines.Single(l => l.Contains("external server", StringComparison.Ordinal));
        using var http = new HttpClient();
        var car = new Uri(row[(row.IndexOf("curl ", StringComparison.Ordinal) + 5)..].Trim() + "/demo_1");
        await Eventually.TrueAsync(
            async () => (await http.GetStringAsync(car, TestTimeout)).Contains("\"running\"", StringComparison.OrdinalIgnoreCase), "a car that drives", TestTimeout);
        up.Interrupt();
        Assert.Equal(0, await up.ExitAsync(TestTimeout));
        Assert.Equal("Ctrl-C stops everything.", up.Lines[^1]);
    }

    [Fact]
    public async Task CarThatNobodyKnows_isTold_withExitCode1()
    {
        var broker = Own(new Mosquitto(Folder));
        await broker.StartAsync(TestTimeout);
        var (code, lines) = await RunAsync(
            "car", "ghost", "--broker", $"mqtt://localhost:{broker.Port}", "--step-timeout", "0.2", "--for", "1.5", "--report", "0");
        Assert.Equal(1, code);
        Assert.Contains(lines, l => l.Contains("no ConnectResponse within 0.2 s", StringComparison.Ordinal));
        Assert.Contains("mooring: 1 of 1 car(s) not connected", lines);
    }

    [Fact]
    public async Task BrokerThatIsNotThere_isTold_withExitCode1()
    {
        var (code, lines) = await RunAsync("car", "--broker", $"mqtt://127.0.0.1:{FreePort.Next()}", "--for", "0.5", "--report", "0");
        Assert.Equal(1, code);
        Assert.Contains("mooring: 1 of 1 car(s) not connected: 1 of 1 connection(s) to the broker down: Connection refused", lines);
    }

    [Fact]
    public async Task BrokerThatRefuses_isTold_atOnce_withExitCode1()
    {
        var users = Path.Combine(Folder, "users");
        await using (var passwd = ProcessUnderTest.Start("mosquitto_passwd", ["-c", "-b", users, "alice", "secret"]))
            Assert.Equal(0, await passwd.ExitAsync(TestTimeout));
        var port = FreePort.Next();
        await File.WriteAllTextAsync(
            Path.Combine(Folder, "m.conf"), $"listener {port} 127.0.0.1\nuser root\nallow_anonymous false\npassword_file {users}\n", TestTimeout);
        var mosquitto = Own(ProcessUnderTest.Start(
            "mosquitto", ["-c", Path.Combine(Folder, "m.conf"), "-v"],
            new Dictionary<string, string?> { ["PATH"] = Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin" }));
        await mosquitto.LineAsync("running", TestTimeout);
        await File.WriteAllTextAsync(Path.Combine(Folder, "password"), "wrong\n", TestTimeout);
        var (code, lines) = await RunAsync(
            "car", "--broker", $"mqtt://localhost:{port}", "--user", "alice", "--password-file", Path.Combine(Folder, "password"), "--report", "0");
        Assert.Equal(1, code);
        Assert.Contains(lines, l => l.StartsWith("mooring: the broker refused: ", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, l => l.Contains("wrong", StringComparison.Ordinal));
    }

    [Fact]
    public async Task OptionsThatAreWrong_areAllTold()
    {
        var (code, lines) = await RunAsync("car", "a", "b", "--count", "2", "--rate", "fast", "--devices", "boat", "--for", "-1");
        Assert.Equal(2, code);
        Assert.Equal(
            [
                "Try 'mooring car --help'.",
                "mooring: --count takes one NAME, which is put before the numbers",
                "mooring: --devices: 'boat' is not allowed: drive, button and echo with commas, and =ROLE behind each if wanted",
                "mooring: --for: '-1' is not allowed: 0 to 86400 seconds",
                "mooring: --rate: 'fast' is not allowed: a number from 0 on, or max",
            ],
            lines.Order(StringComparer.Ordinal));
        (code, lines) = await RunAsync("car", "Car", "--company", "A b", "--window", "0", "--broker", "http://x", "--devices", "echo=");
        Assert.Equal(1, code);
        Assert.Equal(5, lines.Count(l => l.Contains("not allowed", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Help_showsExamples()
    {
        var (code, lines) = await RunAsync("car", "--help");
        Assert.Equal(0, code);
        Assert.Contains(lines, l => l.Contains("mooring car --count 20 --rate 10", StringComparison.Ordinal));
    }

    private ProcessUnderTest StartCars(string company, string broker, params string[] options) =>
        Own(ProcessUnderTest.Start(Program, ["car", "--company", company, "--broker", broker, .. options]));

    private static double Commands(string line)
    {
        var end = line.IndexOf(" commands/s", StringComparison.Ordinal);
        return end < 0 ? 0 : double.Parse(line[(line.LastIndexOf(' ', end - 1) + 1)..end], CultureInfo.InvariantCulture);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
