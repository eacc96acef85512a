using System.Globalization;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Mooring.Cli.Tests.Configuration;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Documents;

/// <summary>The first steps of README.md, walked as a stranger would: every line of the block is typed into a shell, on ports that are free here.</summary>
[Trait("Peer", "real")]
public sealed partial class FirstStepsTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-steps-").FullName;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task EveryLineOfTheFirstSteps_DoesWhatItsRemarkSays()
    {
        var readme = Document.All[0];
        Assert.Contains("./mooring up --demo", readme.Text, StringComparison.Ordinal);
        var lines = readme.Blocks.Single(block => block.Text.Contains("mosquitto_sub", StringComparison.Ordinal)).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var up = Own(UpRun.Begin("mooring-data", ["--demo"], folder: _folder));
        await up.ReadyAsync(TestTimeout);
        var folderPort = FreePort.Next();
        (string Usual, string Here)[] places =
        [
            ("localhost:7700", up.Console["http://".Length..]), ("-p 1883", $"-p {Text(up.PortOf("MQTT"))}"), ("127.0.0.1 10010", $"127.0.0.1 {Text(up.PortOf("chat"))}"),
            ("127.0.0.1:8000", $"127.0.0.1:{Text(up.PortOf("chat in a browser"))}"), ("xdg-open", "curl -fsS -H 'Accept: text/html'"), ("./mooring", $"'{UpRun.Program}'"),
        ];
        var tunnels = $"localhost:{Text(up.PortOf("tunnel"))}";
        foreach (var line in lines)
        {
            var (typed, remark) = (Parts().Match(line).Groups["typed"].Value, Parts().Match(line).Groups["remark"].Value);
            var here = places.Aggregate(FolderPort().Replace(typed, Text(folderPort)), (text, place) => text.Replace(place.Usual, place.Here, StringComparison.Ordinal)).TrimEnd('&', ' ');
            var shell = Own(ProcessUnderTest.Start(
                "/bin/bash", ["-c", $"exec {here}"], new Dictionary<string, string?> { ["HOME"] = _folder, ["RETUNNEL_SERVER"] = tunnels, ["PYTHONUNBUFFERED"] = "1" }, _folder));
            await WalkAsync(typed, remark, shell, folderPort);
        }
        Assert.Equal(0, await up.StopAsync(TestTimeout));
    }

    /// <summary>Waits for what the line promises.</summary>
    private async Task WalkAsync(string typed, string remark, ProcessUnderTest shell, int folderPort)
    {
        switch (typed.Split(' ')[0], typed)
        {
            case ("curl", _) when typed.EndsWith("/api/fleet/cars", StringComparison.Ordinal):
                await EndsWellAsync(shell, "\"demo_1\"");
                break;
            case ("curl", _) when typed.EndsWith("/health/ready", StringComparison.Ordinal):
                await EndsWellAsync(shell, "\"status\":\"ready\"");
                break;
            case ("curl", _) when typed.EndsWith("/metrics", StringComparison.Ordinal):
                await EndsWellAsync(shell, "# HELP mooring_");
                break;
            case ("xdg-open", _):
                await EndsWellAsync(shell, "<!doctype html>");
                break;
            case ("mosquitto_sub", _):
                await shell.LineAsync("demo/demo_", TestTimeout);
                break;
            case ("nc", _):
                foreach (Match line in Typed().Matches(remark)) await shell.Input.WriteLineAsync(line.Value.AsMemory(), TestTimeout);
                await shell.Input.FlushAsync(TestTimeout);
                await shell.LineAsync("main:you hello", TestTimeout);
                break;
            case ("python3", _):
                await AnswersAsync(folderPort);
                break;
            case ("./mooring", "./mooring tunnel http 8080"):
                var address = (await shell.LineAsync(line => line.StartsWith("http://", StringComparison.Ordinal), "with the address", TestTimeout)).Trim();
                await EndsWellAsync(Own(ProcessUnderTest.Start("curl", ["-fsS", address])), "Directory listing");
                break;
            case ("./mooring", "./mooring hub enroll plant01"):
                await EndsWellAsync(shell, "client.crt");
                Assert.True(File.Exists(Path.Combine(_folder, "plant01", "client.key")));
                break;
            default:
                Assert.Fail($"nothing here walks this line of README.md: {typed}");
                break;
        }
    }

    private async Task EndsWellAsync(ProcessUnderTest process, string text)
    {
        Assert.True(await process.ExitAsync(TestTimeout) == 0, string.Join('\n', process.Lines));
        Assert.Contains(process.Lines, line => line.Contains(text, StringComparison.OrdinalIgnoreCase));
    }

    private Task AnswersAsync(int port) => Eventually.TrueAsync(async () =>
    {
        using var probe = new TcpClient();
        try
        {
            await probe.ConnectAsync("127.0.0.1", port, TestTimeout);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }, $"somebody listens on port {port}", TestTimeout);

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(?<typed>\S+(?: \S+)*)(?:\s{2,}(?<remark>.*))?$", RegexOptions.CultureInvariant)]
    private static partial Regex Parts();

    [GeneratedRegex(@"\b8080\b", RegexOptions.CultureInvariant)]
    private static partial Regex FolderPort();

    /// <summary>Commands of the chat server in the remark, up to the next word that is not one's own.</summary>
    [GeneratedRegex(@"(?:HELLO|SEND) [^,]+", RegexOptions.CultureInvariant)]
    private static partial Regex Typed();
}
