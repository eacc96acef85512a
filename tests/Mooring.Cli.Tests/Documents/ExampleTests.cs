using System.Globalization;
using System.Net.Sockets;
using Mooring.Cli.Tests.Configuration;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Documents;

/// <summary>What lies in examples/, run against <c>mooring up</c>. The module there is run by the tests of the fleet.</summary>
[Trait("Peer", "real")]
public sealed class ExampleTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-examples-").FullName;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task MachineAlarms_RaisesAnAlarmForAMachineThatIsTooHot()
    {
        var up = Own(await UpRun.StartAsync(_folder, TestTimeout, "--in-memory"));
        var port = Text(up.PortOf("MQTT"));
        var alarms = Own(ProcessUnderTest.Start(Program("MachineAlarms"), [$"mqtt://127.0.0.1:{port}", "80"]));
        await alarms.LineAsync("watching", TestTimeout);
        var subscriber = Own(ProcessUnderTest.Start("stdbuf", ["-oL", "mosquitto_sub", "-p", port, "-t", "plant/+/alarm", "-v", "-d"]));
        await subscriber.LineAsync("received SUBACK", TestTimeout);
        foreach (var (machine, degrees) in new[] { ("lathe", "79.5"), ("saw", "warm"), ("press", "91.5") })
        {
            var publisher = Own(ProcessUnderTest.Start("mosquitto_pub", ["-p", port, "-t", $"plant/{machine}/temperature", "-m", degrees, "-q", "1"]));
            Assert.Equal(0, await publisher.ExitAsync(TestTimeout));
        }
        Assert.Equal("plant/press/alarm 91.5 degrees, 80 allowed", await subscriber.LineAsync("/alarm ", TestTimeout));
        alarms.Terminate();
        Assert.Equal(0, await alarms.ExitAsync(TestTimeout));
    }

    [Fact]
    public async Task HiddenShop_IsReachedThroughTheTunnelOnly()
    {
        var up = Own(await UpRun.StartAsync(_folder, TestTimeout, "--in-memory"));
        var shop = Own(ProcessUnderTest.Start(Program("HiddenShop"), [$"localhost:{Text(up.PortOf("tunnel"))}", "shop"]));
        await shop.LineAsync("the shop is open", TestTimeout);
        var visitor = Own(ProcessUnderTest.Start("curl", ["-fsS", $"http://shop.localhost:{Text(up.PortOf("tunnel visitors"))}/apples"]));
        await visitor.LineAsync("Two apples for one.", TestTimeout);
        shop.Terminate();
        Assert.Equal(0, await shop.ExitAsync(TestTimeout));
    }

    [Fact]
    public async Task ChatBot_AnswersInItsRoom()
    {
        var up = Own(await UpRun.StartAsync(_folder, TestTimeout, "--in-memory"));
        var port = Text(up.PortOf("chat"));
        var bot = Own(ProcessUnderTest.Start(RepositoryRoot.Combine("examples", "chat-bot", "bot"), ["127.0.0.1", port, "main", up.Console]));
        await bot.LineAsync("OK HELLO main:bot", TestTimeout);
        using var anna = new TcpClient();
        await anna.ConnectAsync("127.0.0.1", up.PortOf("chat"), TestTimeout);
        await using var stream = anna.GetStream();
        await stream.WriteAsync("HELLO main:anna\nSEND main:anna !ping\nSEND main:anna !cars\n"u8.ToArray(), TestTimeout);
        using var reader = new StreamReader(stream);
        Assert.Equal("MSG main:bot pong, anna", await UntilAsync(reader, "main:bot"));
        Assert.Equal("MSG main:bot 0 car(s) have a session", await UntilAsync(reader, "main:bot"));
    }

    private async Task<string> UntilAsync(StreamReader reader, string text)
    {
        while (await reader.ReadLineAsync(TestTimeout) is { } line)
            if (line.StartsWith("MSG " + text, StringComparison.Ordinal)) return line;
        throw new IOException("the server closed");
    }

    /// <summary>Built beside this test program, with the same configuration.</summary>
    private static string Program(string name) =>
        Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", name, new DirectoryInfo(AppContext.BaseDirectory).Name, name));

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
}
