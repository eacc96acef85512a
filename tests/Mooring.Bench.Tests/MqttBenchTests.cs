using System.Runtime.Versioning;
using Mooring.Bench.Mqtt;

namespace Mooring.Bench.Tests;

[SupportedOSPlatform("linux")]
public sealed class MqttBenchTests
{
    [Fact]
    public async Task EveryScenario_AgainstMosquitto_LosesAndReordersNothing()
    {
        var options = new MqttBenchOptions
        {
            Peers = [MqttBenchOptions.MosquittoPeer],
            Scenarios = [.. MqttBenchOptions.AllScenarios.Where(name => name is not ("idle10000-sub" or "pairs100-q1-bg5000"))],
            Seconds = 1,
            WarmUpSeconds = 0,
            Runs = 1,
        };
        var (code, table) = await RunAsync(options);

        Assert.Equal(0, code);
        foreach (var scenario in options.Scenarios) Assert.Matches($"(?m)^{scenario} +mosquitto .*1 threads, ok$", table);
    }

    [Fact]
    public async Task DroppedMessages_AreCountedAsLost()
    {
        using var broker = new LyingBroker(number => number == 100 || number == 200 ? 0 : 1);

        var (code, table) = await RunAsync(ShortFanIn(broker.Port));

        Assert.Equal(1, code);
        Assert.Contains("LOST 2, REORDERED 0", table, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RepeatedMessage_IsCountedAsOutOfOrder()
    {
        using var broker = new LyingBroker(number => number == 100 ? 2 : 1);

        var (code, table) = await RunAsync(ShortFanIn(broker.Port));

        Assert.Equal(1, code);
        Assert.Contains("LOST 0, REORDERED 1", table, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NobodyListening_IsOneLine()
    {
        var port = Processes.PeerProcess.FreePort();

        var error = await Assert.ThrowsAsync<MooringBenchException>(() => RunAsync(ShortFanIn(port)));

        Assert.Contains($"127.0.0.1:{port}", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public async Task PeerThatCannotStart_IsNamed()
    {
        var options = new MqttBenchOptions { Peers = [MqttBenchOptions.MosquittoPeer], MosquittoPath = "/nowhere/mosquitto" };

        var error = await Assert.ThrowsAsync<MooringBenchException>(() => RunAsync(options));

        Assert.Contains("/nowhere/mosquitto", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WrongOptions_AreAllReportedAtOnce()
    {
        var faults = new MqttBenchOptions { Scenarios = ["x"], Peers = ["y"], Port = 0, Seconds = 0, Runs = 0, PayloadBytes = 1 }.Validate();

        Assert.Equal(6, faults.Count);
    }

    private static MqttBenchOptions ShortFanIn(int port) =>
        new() { Port = port, Scenarios = ["fanin-q0"], Seconds = 1, WarmUpSeconds = 0, Runs = 1 };

    private static async Task<(int Code, string Table)> RunAsync(MqttBenchOptions options)
    {
        using var output = new StringWriter();
        var code = await MqttBench.RunAsync(options, output, TestContext.Current.CancellationToken);
        return (code, output.ToString().ReplaceLineEndings("\n"));
    }
}
