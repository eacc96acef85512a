using System.Globalization;
using System.Net;
using System.Runtime.Versioning;
using Mooring.Bench.Mqtt;
using Mooring.Bench.Processes;

namespace Mooring.Bench.Chat;

/// <summary>The load generator for chat servers: one room, one sender, every delivery checked.</summary>
public static class ChatBench
{
    private const string Columns = "{0,-18} {1,-8} {2,-27} {3,9} {4,9} {5,9} {6,9} {7,7} {8,8} {9}";

    /// <summary>Runs the scenarios and prints one table.</summary>
    /// <param name="options">What to measure.</param>
    /// <param name="output">Where the table goes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>0, or 1 when a message was lost, repeated or out of order.</returns>
    /// <exception cref="MooringBenchException">A server could not be started or reached, or broke the protocol.</exception>
    public static async Task<int> RunAsync(ChatBenchOptions options, TextWriter output, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(output);
        if (options.Validate() is { Count: > 0 } faults) throw new MooringBenchException(string.Join(Environment.NewLine, faults));
        if (!OperatingSystem.IsLinux()) throw new MooringBenchException("bench chat needs Linux (epoll and /proc).");
        await output.WriteLineAsync(Row(
            "scenario", "peer", "deliveries/s [min-max]", "per CPU s", "p50 us", "p99 us", "p99.9 us", "RSS MB", "KB/conn", "checks"));
        var isClean = true;
        foreach (var scenario in ChatScenario.All.Where(s => options.Scenarios.Count == 0 || options.Scenarios.Contains(s.Name)))
        {
            // Peers take turns, so that a change in the load of the machine meets all of them.
            var results = options.Peers.ToDictionary(peer => peer, _ => new List<RunResult>());
            for (var run = 0; run < options.Runs; run++)
                foreach (var peer in options.Peers) results[peer].Add(await MeasureAsync(scenario, peer, options, cancellationToken));
            foreach (var (peer, runs) in results) await output.WriteLineAsync(Line(scenario, peer, runs));
            await output.FlushAsync(cancellationToken);
            isClean &= results.Values.All(runs => runs.All(run => run.IsClean));
        }
        return isClean ? 0 : 1;
    }

    [SupportedOSPlatform("linux")]
    private static async Task<RunResult> MeasureAsync(ChatScenario scenario, string peer, ChatBenchOptions options, CancellationToken cancellationToken)
    {
        var directory = Directory.CreateTempSubdirectory("mooring-bench-");
        try
        {
            var port = PeerProcess.FreePort();
            var command = await CommandAsync(peer, directory.FullName, port, options, cancellationToken);
            await using var process = await PeerProcess.StartAsync(command, port, TimeProvider.System, cancellationToken);
            return await Task.Factory.StartNew(
                () =>
                {
                    using var load = new ChatLoad(new IPEndPoint(IPAddress.Loopback, port), ChatDialect.Of(peer), options.PayloadBytes, TimeProvider.System);
                    return new ChatRun(scenario, load, options, TimeProvider.System).Run(process.Id, cancellationToken);
                },
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task<IReadOnlyList<string>> CommandAsync(
        string peer, string directory, int port, ChatBenchOptions options, CancellationToken cancellationToken)
    {
        switch (peer)
        {
            case ChatBenchOptions.RedisPeer:
                return
                [
                    options.RedisPath, "--port", PeerProcess.PortPlaceholder, "--save", "", "--appendonly", "no", "--dir", directory,
                    "--client-output-buffer-limit", "pubsub 0 0 0",
                ];
            case ChatBenchOptions.NgircdPeer:
                return [options.NgircdPath, "-n", "-f", await WriteNgircdConfigurationAsync(directory, port, cancellationToken)];
            case ChatBenchOptions.SelfSocketPeer:
                return Self("--mode", "http", "--http-port", PeerProcess.PortPlaceholder);
            default:
                return Self("--mode", "socket", "--socket-port", PeerProcess.PortPlaceholder);
        }

        // The room is created by whoever comes first, and members are not announced, as in the other servers.
        IReadOnlyList<string> Self(params string[] listener) =>
            [.. options.SelfCommand, .. listener, "--max-clients", "10000", "--announce", "none", "--auto-create-rooms"];
    }

    // Without its limits against floods, which would only measure themselves.
    private static async Task<string> WriteNgircdConfigurationAsync(string directory, int port, CancellationToken cancellationToken)
    {
        var path = Path.Combine(directory, "ngircd.conf");
        await File.WriteAllTextAsync(path, string.Create(CultureInfo.InvariantCulture, $"""
            [Global]
            Name = bench.example
            Info = bench
            Listen = 127.0.0.1
            Ports = {port}
            ServerUID = 65534
            ServerGID = 65534
            [Limits]
            MaxConnections = 0
            MaxConnectionsIP = 0
            MaxJoins = 0
            MaxPenaltyTime = 0
            [Options]
            DNS = no
            Ident = no
            PAM = no
            """), cancellationToken);
        return path;
    }

    private static string Line(ChatScenario scenario, string peer, IReadOnlyList<RunResult> runs)
    {
        double Median(Func<RunResult, double> value) => ResultTable.Median(runs, value);
        var isIdle = scenario.Kind == ChatScenarioKind.Idle;
        return Row(
            scenario.Name, peer,
            isIdle ? "-" : $"{Short(Median(r => r.Rate))} [{Short(runs.Min(r => r.Rate))}-{Short(runs.Max(r => r.Rate))}]",
            isIdle ? "-" : Short(1e6 / Median(r => r.CpuPerMillion)), Number(Median(r => r.P50Microseconds)), Number(Median(r => r.P99Microseconds)),
            Number(Median(r => r.P999Microseconds)), Number(Median(r => r.ResidentMegabytes)),
            isIdle ? Median(r => r.KilobytesPerConnection).ToString("0.0", CultureInfo.InvariantCulture) : "-",
            runs.All(run => run.IsClean) ? "ok" : $"LOST {runs.Sum(run => run.Lost)}, OUT OF ORDER {runs.Sum(run => run.Reordered)}");
    }

    private static string Row(params object[] cells) => string.Format(CultureInfo.InvariantCulture, Columns, cells).TrimEnd();

    private static string Number(double value) => double.IsNaN(value) ? "-" : value.ToString("0", CultureInfo.InvariantCulture);

    private static string Short(double value) => value >= 1e6
        ? (value / 1e6).ToString("0.00", CultureInfo.InvariantCulture) + "M"
        : (value / 1e3).ToString("0", CultureInfo.InvariantCulture) + "k";
}
