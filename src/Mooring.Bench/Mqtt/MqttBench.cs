using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Mooring.Bench.Processes;

namespace Mooring.Bench.Mqtt;

/// <summary>The load generator for MQTT brokers: closed loops that check every delivery, on one thread.</summary>
public static class MqttBench
{
    /// <summary>Runs the scenarios and prints one table.</summary>
    /// <returns>0, or 1 when a message was lost, repeated or out of order.</returns>
    /// <exception cref="MooringBenchException">A server could not be started or reached, or broke the protocol.</exception>
    public static async Task<int> RunAsync(MqttBenchOptions options, TextWriter output, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(output);
        if (options.Validate() is { Count: > 0 } faults) throw new MooringBenchException(string.Join(Environment.NewLine, faults));
        if (!OperatingSystem.IsLinux()) throw new MooringBenchException("bench mqtt needs Linux (epoll and /proc).");

        await output.WriteLineAsync(ResultTable.Heading);
        var clean = true;
        var scenarios = MqttScenario.All.Where(s => options.Scenarios.Count == 0 || options.Scenarios.Contains(s.Name));
        foreach (var scenario in scenarios)
        {
            var results = await MeasureAsync(scenario, options, output, cancellationToken);
            clean &= results.Values.All(runs => runs.All(run => run.IsClean));
        }
        return clean ? 0 : 1;
    }

    // Peers take turns, so that a change in the load of the machine meets all of them.
    [SupportedOSPlatform("linux")]
    private static async Task<Dictionary<string, List<RunResult>>> MeasureAsync(
        MqttScenario scenario, MqttBenchOptions options, TextWriter output, CancellationToken cancellationToken)
    {
        var peers = options.Peers.Count > 0 ? options.Peers : [$"{options.Host}:{options.Port}"];
        var results = peers.ToDictionary(peer => peer, _ => new List<RunResult>());
        for (var run = 0; run < options.Runs; run++)
        {
            foreach (var peer in peers) results[peer].Add(await MeasureOnceAsync(scenario, peer, options, cancellationToken));
        }
        foreach (var peer in peers) await output.WriteLineAsync(ResultTable.Line(scenario, peer, results[peer]));
        foreach (var other in peers.Skip(1))
            await output.WriteLineAsync(ResultTable.Ratio(scenario, peers[0], results[peers[0]], other, results[other]));
        await output.FlushAsync(cancellationToken);
        return results;
    }

    [SupportedOSPlatform("linux")]
    private static async Task<RunResult> MeasureOnceAsync(
        MqttScenario scenario, string peer, MqttBenchOptions options, CancellationToken cancellationToken)
    {
        if (options.Peers.Count == 0)
        {
            var address = await ResolveAsync(options.Host, cancellationToken);
            return await OnOwnThreadAsync(
                () => Run(scenario, new IPEndPoint(address, options.Port), options.ServerProcessId, options, cancellationToken));
        }
        var directory = Directory.CreateTempSubdirectory("mooring-bench-");
        try
        {
            var port = PeerProcess.FreePort();
            var command = peer == MqttBenchOptions.SelfPeer
                ? options.SelfCommand
                : [options.MosquittoPath, "-c", await WriteMosquittoConfigurationAsync(directory.FullName, port, cancellationToken)];
            await using var process = await PeerProcess.StartAsync(command, port, TimeProvider.System, cancellationToken);
            var server = new IPEndPoint(IPAddress.Loopback, port);
            return await OnOwnThreadAsync(() => Run(scenario, server, process.Id, options, cancellationToken));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [SupportedOSPlatform("linux")]
    private static RunResult Run(
        MqttScenario scenario, IPEndPoint server, int? processId, MqttBenchOptions options, CancellationToken cancellationToken)
    {
        var warmUp = TimeSpan.FromSeconds(options.WarmUpSeconds);
        var duration = TimeSpan.FromSeconds(options.Seconds);
        var time = TimeProvider.System;
        switch (scenario.Kind)
        {
            case MqttScenarioKind.Throughput:
            {
                using var run = new ThroughputRun(scenario, server, options.PayloadBytes, time);
                return run.Run(warmUp, duration, processId, cancellationToken);
            }
            case MqttScenarioKind.RoundTrip:
            {
                using var run = new RoundTripRun(scenario, server, options.PayloadBytes, time);
                return run.Run(warmUp, duration, processId, cancellationToken);
            }
            default:
            {
                using var run = new IdleRun(scenario, server, time);
                return run.Run(duration, processId, cancellationToken);
            }
        }
    }

    private static Task<RunResult> OnOwnThreadAsync(Func<RunResult> run) =>
        Task.Factory.StartNew(run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static async Task<IPAddress> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        try
        {
            return (await Dns.GetHostAddressesAsync(host, cancellationToken))[0];
        }
        catch (SocketException e)
        {
            throw new MooringBenchException($"host: '{host}' cannot be resolved: {e.Message}");
        }
    }

    // No limit on queued messages, so that mosquitto, too, loses nothing.
    private static async Task<string> WriteMosquittoConfigurationAsync(string directory, int port, CancellationToken cancellationToken)
    {
        var path = Path.Combine(directory, "mosquitto.conf");
        var lines = new[]
        {
            string.Create(CultureInfo.InvariantCulture, $"listener {port} 127.0.0.1"), "allow_anonymous true", "persistence false",
            "max_queued_messages 0", "set_tcp_nodelay true", "log_type error", "user root",
        };
        await File.WriteAllLinesAsync(path, lines, cancellationToken);
        return path;
    }
}
