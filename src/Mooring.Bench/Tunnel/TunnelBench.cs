using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Mooring.Bench.Processes;

namespace Mooring.Bench.Tunnel;

/// <summary>Measures tunnels beside a plain reverse proxy and a tunnel of ssh: load generator, origin and tunnel share the machine.</summary>
public static class TunnelBench
{
    private const string Columns = "{0,-11} {1,-18} {2,10} {3,9} {4,9} {5,9} {6,8} {7}";

    /// <summary>Runs and prints.</summary>
    /// <param name="options">What.</param>
    /// <param name="output">Where the table goes.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>0, or 1 when answers were missing.</returns>
    public static async Task<int> RunAsync(TunnelBenchOptions options, TextWriter output, CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        var names = options.Peers.Count > 0 ? options.Peers : TunnelBenchOptions.AllPeers;
        var failures = await RunPathsAsync([.. names.Except(TunnelBenchOptions.Cases)], options, output, time, cancellationToken);
        foreach (var name in names.Intersect(TunnelBenchOptions.Cases))
        {
            var data = Directory.CreateTempSubdirectory("mooring-bench-tunnel-").FullName;
            var self = new SelfServer(options.SelfProgram, data, time);
            failures += name == "idle"
                ? await new IdleTunnels(options, self, time).RunAsync(output, cancellationToken)
                : await new Logins(options, self, time).RunAsync(output, cancellationToken);
            Directory.Delete(data, recursive: true);
        }
        return failures == 0 ? 0 : 1;
    }

    private static async Task<int> RunPathsAsync(
        IReadOnlyList<string> names, TunnelBenchOptions options, TextWriter output, TimeProvider time, CancellationToken cancellationToken)
    {
        if (names.Count == 0) return 0;
        var folder = Directory.CreateTempSubdirectory("mooring-bench-tunnel-").FullName;
        try
        {
            // nginx's workers run as another user when it was started as root.
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
            var paths = new TunnelPaths(options, folder, time);
            var port = PeerProcess.FreePort();
            await using var origin = await paths.StartOriginAsync(port, cancellationToken);
            await output.WriteLineAsync(string.Format(CultureInfo.InvariantCulture, Columns, "path", "run", "per s", "p50 us", "p99 us", "CPU us", "RSS MB", "checks"));
            var failures = 0;
            foreach (var name in names)
            {
                await using var path = await paths.StartAsync(name, port, cancellationToken);
                failures += await MeasureAsync(path, options, output, time, cancellationToken);
            }
            return failures;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<int> MeasureAsync(
        TunnelPath path, TunnelBenchOptions options, TextWriter output, TimeProvider time, CancellationToken cancellationToken)
    {
        var failures = 0;
        async Task LoadAsync(string label, int connections, bool reconnects)
        {
            HttpLoad Load() => new(path.Target, path.Host, "/small", options.ResponseBytes, reconnects, time);
            // Once unmeasured: compilers and pools get warm.
            await Load().RunAsync(connections, TimeSpan.FromSeconds(Math.Min(2, options.Seconds)), cancellationToken);
            var cpu = path.CpuSeconds;
            var result = await Load().RunAsync(connections, TimeSpan.FromSeconds(options.Seconds), cancellationToken);
            failures += result.Failures;
            await PrintAsync(
                output, path.Name, label, result.PerSecond.ToString("0", CultureInfo.InvariantCulture), result.Latencies.Microseconds(0.5),
                result.Latencies.Microseconds(0.99), (path.CpuSeconds - cpu) / Math.Max(1, result.Count) * 1e6, path.ResidentMegabytes,
                result.Failures == 0 ? "ok" : $"{result.Failures} FAILED");
        }

        foreach (var connections in options.Connections)
            await LoadAsync(string.Create(CultureInfo.InvariantCulture, $"{connections} connections"), connections, reconnects: false);
        await LoadAsync("32, new each time", 32, reconnects: true);
        var before = path.CpuSeconds;
        var (gigabits, isWhole) = await StreamAsync(path, options.StreamBytes, time, cancellationToken);
        if (!isWhole) failures++;
        await PrintAsync(
            output, path.Name, "one stream", gigabits.ToString("0.00 Gb", CultureInfo.InvariantCulture), double.NaN, double.NaN,
            (path.CpuSeconds - before) * 1e6 / (options.StreamBytes / 1024.0 / 1024.0), path.ResidentMegabytes, isWhole ? "ok, CPU per MiB" : "CUT OFF");
        return failures;
    }

    private static async Task<(double Gigabits, bool IsWhole)> StreamAsync(TunnelPath path, long bytes, TimeProvider time, CancellationToken cancellationToken)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(path.Target, cancellationToken);
        var started = time.GetTimestamp();
        await socket.SendAsync(Encoding.ASCII.GetBytes($"GET /large HTTP/1.1\r\nHost: {path.Host}\r\nConnection: close\r\n\r\n"), cancellationToken);
        var buffer = new byte[256 * 1024];
        long received = 0;
        while (await socket.ReceiveAsync(buffer, cancellationToken) is var count and > 0) received += count;
        return (received * 8 / 1e9 / time.GetElapsedTime(started).TotalSeconds, received > bytes);
    }

    private static Task PrintAsync(
        TextWriter output, string path, string run, string rate, double p50, double p99, double cpu, double resident, string checks) =>
        output.WriteLineAsync(string.Format(
            CultureInfo.InvariantCulture, Columns, path, run, rate, Number(p50), Number(p99), cpu.ToString("0.0", CultureInfo.InvariantCulture),
            resident.ToString("0", CultureInfo.InvariantCulture), checks));

    private static string Number(double value) => double.IsNaN(value) ? "-" : value.ToString("0", CultureInfo.InvariantCulture);
}
