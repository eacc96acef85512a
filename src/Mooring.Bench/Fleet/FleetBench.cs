using System.Net;
using System.Runtime.Versioning;
using Mooring.Bench.Processes;

namespace Mooring.Bench.Fleet;

/// <summary>The load generator for an external server: cars that speak raw MQTT and protobuf as gateways do.</summary>
public static class FleetBench
{
    private const uint Window = 10;
    private const double IdleStatusSeconds = 15;
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(60);

    /// <summary>Runs the scenarios, each with a fresh broker and server, and prints one line for each.</summary>
    /// <returns>0, or 1 when an answer was missing, repeated or out of order.</returns>
    /// <exception cref="MooringBenchException">A process could not be started, or the cars could not connect.</exception>
    public static async Task<int> RunAsync(FleetBenchOptions options, TextWriter output, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(output);
        if (options.Validate() is { Count: > 0 } faults) throw new MooringBenchException(string.Join(Environment.NewLine, faults));
        if (!OperatingSystem.IsLinux()) throw new MooringBenchException("bench fleet needs Linux (epoll and /proc).");

        var clean = true;
        foreach (var scenario in FleetBenchOptions.AllScenarios.Where(s => options.Scenarios.Count == 0 || options.Scenarios.Contains(s)))
        {
            for (var run = 0; run < options.Runs; run++)
                clean &= await MeasureAsync(scenario, options, output, cancellationToken);
        }
        return clean ? 0 : 1;
    }

    [SupportedOSPlatform("linux")]
    private static async Task<bool> MeasureAsync(
        string scenario, FleetBenchOptions options, TextWriter output, CancellationToken cancellationToken)
    {
        var cars = scenario switch
        {
            FleetBenchOptions.WindowScenario => 1,
            FleetBenchOptions.RateScenario => options.RateCars,
            _ => options.ConnectedCars,
        };
        var directory = Directory.CreateTempSubdirectory("mooring-bench-");
        try
        {
            var port = PeerProcess.FreePort();
            await using var broker = await PeerProcess.StartAsync(options.BrokerCommand, port, TimeProvider.System, cancellationToken);
            var configuration = Path.Combine(directory.FullName, "fleet.json");
            FleetConfiguration.Write(configuration, cars, port, options);
            var command = options.ServerCommand.Select(a => a.Replace("{config}", configuration, StringComparison.Ordinal)).ToArray();
            await using var server = PeerProcess.Start(command, TimeProvider.System);
            var (line, faults) = await Task.Factory.StartNew(
                () => Run(scenario, cars, broker, server, options, cancellationToken),
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            await output.WriteLineAsync(line + (faults == 0 ? ", ok" : $", {faults} WRONG ANSWERS"));
            await output.FlushAsync(cancellationToken);
            return faults == 0;
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [SupportedOSPlatform("linux")]
    private static (string Line, long Faults) Run(
        string scenario, int cars, PeerProcess broker, PeerProcess server, FleetBenchOptions options, CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        var before = ProcessSample.Of(server.Id);
        using var run = new FleetRun(cars, new IPEndPoint(IPAddress.Loopback, broker.Port), options, time);
        var connecting = run.ConnectAll(cancellationToken);
        var perSecond = scenario == FleetBenchOptions.RateScenario ? (double)cars * options.StatusesPerSecond : cars / IdleStatusSeconds;
        Drive(options.WarmUpSeconds);
        run.ClearFigures();
        var (serverFrom, brokerFrom) = (ProcessSample.Of(server.Id), ProcessSample.Of(broker.Id));
        var started = time.GetTimestamp();
        Drive(options.Seconds);
        var elapsed = time.GetElapsedTime(started).TotalSeconds;
        var (serverTo, brokerTo) = (ProcessSample.Of(server.Id), ProcessSample.Of(broker.Id));
        var answered = run.Answered;
        var line = FormattableString.Invariant(
            $"{scenario}: {cars} cars connected in {connecting.TotalSeconds:0.0} s; {answered / elapsed:0} status round trips/s, ") +
            FormattableString.Invariant(
            $"p50 {run.Latency.Microseconds(0.5) / 1000:0.00} ms, p99 {run.Latency.Microseconds(0.99) / 1000:0.00} ms; ") +
            FormattableString.Invariant(
            $"CPU us per round trip: server {MicrosecondsEach(serverFrom, serverTo, answered):0}, broker {MicrosecondsEach(brokerFrom, brokerTo, answered):0}; ") +
            FormattableString.Invariant(
            $"server {serverTo?.ResidentKilobytes / 1024} MB, {(serverTo?.ResidentKilobytes - before?.ResidentKilobytes) / (double)cars:0.0} KB per car, {serverTo?.Threads} threads");
        if (scenario == FleetBenchOptions.ConnectedScenario)
        {
            var stopped = server.StopAsync(StopWithin).GetAwaiter().GetResult();
            line += stopped is { } took
                ? FormattableString.Invariant($"; stopped in {took.TotalSeconds:0.0} s")
                : $"; did not stop within {StopWithin.TotalSeconds:0} s";
        }
        return (line, run.Faults);

        void Drive(int seconds)
        {
            var duration = TimeSpan.FromSeconds(seconds);
            if (scenario == FleetBenchOptions.WindowScenario) run.DriveWindow(Window, duration, cancellationToken);
            else run.DriveRate(perSecond, duration, cancellationToken);
        }
    }

    private static double MicrosecondsEach(ProcessSample? from, ProcessSample? to, long count) =>
        (to?.CpuSeconds - from?.CpuSeconds) / count * 1e6 ?? double.NaN;
}
