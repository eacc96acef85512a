using System.Runtime.Versioning;
using Mooring.Bench.Mqtt;
using Mooring.Bench.Processes;

namespace Mooring.Bench.Chat;

/// <summary>One run of one scenario against one server.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ChatRun(ChatScenario scenario, ChatLoad load, ChatBenchOptions options, TimeProvider time)
{
    private const int WaitMilliseconds = 100;
    private const int MessagesPerSecond = 5000;
    private const int BatchMin = 16;
    private static readonly TimeSpan DrainWithin = TimeSpan.FromSeconds(10);

    internal RunResult Run(int serverProcess, CancellationToken cancellationToken)
    {
        var empty = ProcessSample.Of(serverProcess);
        load.Enter(scenario.Members, scenario.HasStalledMember);
        if (scenario.Kind == ChatScenarioKind.Idle) return Idle(empty, ProcessSample.Of(serverProcess));
        Drive(TimeSpan.FromSeconds(options.WarmUpSeconds), cancellationToken);
        load.Latency.Clear();
        var (before, delivered, started) = (ProcessSample.Of(serverProcess), load.Delivered, time.GetTimestamp());
        Drive(TimeSpan.FromSeconds(options.Seconds), cancellationToken);
        var elapsed = time.GetElapsedTime(started).TotalSeconds;
        delivered = load.Delivered - delivered;
        var after = ProcessSample.Of(serverProcess);
        return new RunResult
        {
            Rate = delivered / elapsed,
            CpuPerMillion = (after?.CpuSeconds - before?.CpuSeconds) / delivered * 1e6 ?? double.NaN,
            P50Microseconds = load.Latency.Microseconds(0.5),
            P99Microseconds = load.Latency.Microseconds(0.99),
            P999Microseconds = load.Latency.Microseconds(0.999),
            ResidentMegabytes = after?.ResidentKilobytes / 1024.0 ?? double.NaN,
            Threads = after?.Threads ?? 0,
            Lost = Drain(),
            Reordered = load.Faults,
        };
    }

    private RunResult Idle(ProcessSample? empty, ProcessSample? full) => new()
    {
        ResidentMegabytes = full?.ResidentKilobytes / 1024.0 ?? double.NaN,
        KilobytesPerConnection = (double?)(full?.ResidentKilobytes - empty?.ResidentKilobytes) / scenario.Members ?? double.NaN,
        Threads = full?.Threads ?? 0,
    };

    private void Drive(TimeSpan duration, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var sentBefore = load.Sent;
        while (time.GetElapsedTime(started) is var elapsed && elapsed < duration)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var due = scenario.Kind switch
            {
                ChatScenarioKind.PingPong => Missing() == 0 ? 1 : 0,
                ChatScenarioKind.Stalled => (long)(elapsed.TotalSeconds * MessagesPerSecond) - (load.Sent - sentBefore),
                _ => Room(),
            };
            var now = time.GetTimestamp();
            for (var i = 0; i < due; i++) load.Send(now);
            if (due > 0) load.Flush();
            load.Turn(scenario.Kind == ChatScenarioKind.Stalled ? 1 : WaitMilliseconds);
        }
    }

    /// <summary>Messages that may be sent so that no more than the window is under way to a member on average.</summary>
    private long Room()
    {
        var room = options.Window - (Missing() + scenario.Members - 1) / scenario.Members;
        return room >= BatchMin && !load.HasOutput ? room : 0;
    }

    private long Missing() => load.Sent * scenario.Members - load.Delivered;

    private long Drain()
    {
        var started = time.GetTimestamp();
        while (Missing() > 0 && time.GetElapsedTime(started) < DrainWithin) load.Turn(WaitMilliseconds);
        return Missing();
    }
}
