using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Mooring.Bench.Processes;
using Mooring.Kernel.Links;
using Mooring.Kernel.Tls;
using Mooring.SocketIO;

namespace Mooring.Bench.Edge;

/// <summary>A hub under agents that beat and operators that ask: time to connect, memory, processor time, latency of a query end to end.</summary>
public static class EdgeBench
{
    private const int EnrolmentsAtOnce = 8;
    private const int ConnectsAtOnce = 64;
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(50);

    private static readonly byte[] Beat = Encoding.UTF8.GetBytes(
        """
        {"agent_id":"07048933","cpu_usage":42.7,"memory_usage":0.8,"memory_total":23.5,"disk_usage":28.3,"disk_total":252,"uptime":18,"status":"active","timestamp":"2026-11-20T22:55:34.462681"}
        """);

    private static readonly byte[] Answer = """{"status":"success","devices":[],"count":0}"""u8.ToArray();

    /// <summary>Runs the measurement and prints its figures.</summary>
    /// <param name="options">What is measured.</param>
    /// <param name="output">Where the figures go.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>0 when every question was answered.</returns>
    public static async Task<int> RunAsync(EdgeBenchOptions options, TextWriter output, CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        var (agentsPort, httpPort) = (PeerProcess.FreePort(), PeerProcess.FreePort());
        string[] command = [.. options.HubCommand.Select(a => a.Replace(EdgeBenchOptions.HttpPort, httpPort.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal))];
        await using var hub = await PeerProcess.StartAsync(command, agentsPort, time, cancellationToken);
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{httpPort}") };
        var folder = Directory.CreateTempSubdirectory("mooring-bench-edge-").FullName;
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task running = Task.CompletedTask;
        try
        {
            var begun = time.GetTimestamp();
            var files = await EnrolAsync(http, options.Agents, folder, cancellationToken);
            await output.WriteLineAsync(Line($"enrolled         {options.Agents} agents in {time.GetElapsedTime(begun).TotalSeconds:0.0} s"));
            var before = ProcessSample.Of(hub.Id);
            begun = time.GetTimestamp();
            var clients = files.Select(f => NewClient(f, agentsPort, time)).ToList();
            running = await ConnectAsync(clients, stopping.Token);
            await output.WriteLineAsync(Line($"connected        {clients.Count} agents over mutual TLS in {time.GetElapsedTime(begun).TotalSeconds:0.0} s"));
            var failed = await MeasureAsync(options, http, hub, clients, before, output, time, stopping.Token);
            return failed == 0 ? 0 : 1;
        }
        finally
        {
            await stopping.CancelAsync();
            await running;
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<TlsFiles[]> EnrolAsync(HttpClient http, int count, string folder, CancellationToken cancellationToken)
    {
        var files = new TlsFiles[count];
        var limits = new ParallelOptions { MaxDegreeOfParallelism = EnrolmentsAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, count, limits, async (i, token) =>
        {
            using var request = new StringContent(Line($"{{\"id\":\"bench-{i}\"}}"), Encoding.UTF8, "application/json");
            using var response = await http.PostAsync("/api/orchestrators", request, token);
            if (!response.IsSuccessStatusCode) throw new MooringBenchException($"an agent could not be enrolled: {(int)response.StatusCode}");
            using var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync(token));
            string Write(string field, string name)
            {
                var path = Path.Combine(folder, Line($"{i}.{name}"));
                File.WriteAllText(path, answer.RootElement.GetProperty(field).GetString());
                return path;
            }

            files[i] = new TlsFiles { Certificate = Write("certificate", "crt"), Key = Write("key", "key"), Authorities = Write("authority", "ca") };
        });
        return files;
    }

    private static SocketIOClient NewClient(TlsFiles files, int port, TimeProvider time)
    {
        var material = PemFiles.Load(files, time.GetUtcNow());
        var client = new SocketIOClient(
            new SocketIOClientOptions
            {
                Address = new Uri($"https://localhost:{port}"), Tls = () => material, UsesProxy = false, ConnectTimeout = TimeSpan.FromMinutes(2),
            },
            time, NullLoggerFactory.Instance);
        client.Root.On("get_serial_devices", (_, e) => e.AckAsync(new SocketIOArguments().AddJson(Answer)));
        return client;
    }

    private static async Task<Task> ConnectAsync(List<SocketIOClient> clients, CancellationToken cancellationToken)
    {
        using var turns = new SemaphoreSlim(ConnectsAtOnce);
        var running = new List<Task>(clients.Count);
        var connected = new List<Task>(clients.Count);
        foreach (var client in clients)
        {
            await turns.WaitAsync(cancellationToken);
            var up = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            client.Link.Moved += moved =>
            {
                if (moved.To == LinkState.Up && up.TrySetResult()) turns.Release();
            };
            connected.Add(up.Task);
            running.Add(client.RunAsync(cancellationToken));
        }
        await Task.WhenAll(connected).WaitAsync(cancellationToken);
        return Task.WhenAll(running);
    }

    private static async Task<int> MeasureAsync(
        EdgeBenchOptions options, HttpClient http, PeerProcess hub, List<SocketIOClient> clients, ProcessSample? idle, TextWriter output,
        TimeProvider time, CancellationToken cancellationToken)
    {
        using var measuring = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var beating = BeatAsync(clients, options.BeatPeriod, time, measuring.Token);
        // One period, so that every agent has beaten; another that is measured, before anybody asks.
        await Task.Delay(options.BeatPeriod, time, cancellationToken);
        var quiet = ProcessSample.Of(hub.Id);
        await Task.Delay(options.BeatPeriod, time, cancellationToken);
        if (quiet is { } q && ProcessSample.Of(hub.Id) is { } beaten)
            await output.WriteLineAsync(Line($"heartbeats only  {(beaten.CpuSeconds - q.CpuSeconds) / options.BeatPeriod.TotalSeconds * 100:0} % of a core"));
        var before = ProcessSample.Of(hub.Id);
        var begun = time.GetTimestamp();
        var asking = Enumerable.Range(0, options.Operators)
            .Select(n => AskAsync(http, clients.Count, TimeSpan.FromSeconds(options.Seconds), new Random(n), time, cancellationToken)).ToList();
        var asked = await Task.WhenAll(asking);
        var elapsed = time.GetElapsedTime(begun).TotalSeconds;
        var after = ProcessSample.Of(hub.Id);
        await measuring.CancelAsync();
        var beats = await beating;
        double[] latencies = [.. asked.SelectMany(a => a.Milliseconds).Order()];
        var failed = asked.Sum(a => a.Failed);
        if (before is { } b && after is { } a)
        {
            await output.WriteLineAsync(Line($"hub              {a.ResidentKilobytes / 1024} MB resident ({idle?.ResidentKilobytes / 1024} MB before the agents), {(a.CpuSeconds - b.CpuSeconds) / elapsed * 100:0} % of a core"));
        }
        await output.WriteLineAsync(Line($"heartbeats       {beats} sent"));
        if (latencies.Length > 0)
        {
            await output.WriteLineAsync(Line(
                $"query            {latencies.Length / elapsed:0}/s, p50 {At(latencies, 0.5):0.0} ms, p99 {At(latencies, 0.99):0.0} ms, max {latencies[^1]:0.0} ms, {failed} failed"));
        }
        return failed;
    }

    private static async Task<long> BeatAsync(List<SocketIOClient> clients, TimeSpan period, TimeProvider time, CancellationToken cancellationToken)
    {
        var slices = Math.Max(1, (int)(period / Slice));
        long sent = 0;
        using var timer = new PeriodicTimer(Slice, time);
        var beat = new SocketIOArguments().AddJson(Beat);
        try
        {
            for (var slice = 0; await timer.WaitForNextTickAsync(cancellationToken); slice = (slice + 1) % slices)
            {
                for (var i = slice; i < clients.Count; i += slices)
                {
                    if (!clients[i].Root.IsConnected) continue;
                    await clients[i].Root.EmitAsync("heartbeat", beat, cancellationToken);
                    sent++;
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketIOCallException)
        {
            // The measurement is over.
        }
        return sent;
    }

    private static async Task<(List<double> Milliseconds, int Failed)> AskAsync(
        HttpClient http, int agents, TimeSpan duration, Random random, TimeProvider time, CancellationToken cancellationToken)
    {
        var milliseconds = new List<double>();
        var failed = 0;
        var begun = time.GetTimestamp();
        while (time.GetElapsedTime(begun) < duration)
        {
            var asked = time.GetTimestamp();
            using var response = await http.GetAsync(Line($"/api/orchestrators/bench-{random.Next(agents)}/serial-devices"), cancellationToken);
            if (response.IsSuccessStatusCode) milliseconds.Add(time.GetElapsedTime(asked).TotalMilliseconds);
            else failed++;
        }
        return (milliseconds, failed);
    }

    private static double At(double[] ordered, double share) => ordered[Math.Min((int)(ordered.Length * share), ordered.Length - 1)];

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
