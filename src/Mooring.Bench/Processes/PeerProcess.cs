using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Mooring.Bench.Processes;

/// <summary>A server started for a measurement: ready when its port accepts, stopped by SIGTERM through <c>kill</c>.</summary>
internal sealed class PeerProcess : IAsyncDisposable
{
    /// <summary>Replaced by the port in every argument.</summary>
    internal const string PortPlaceholder = "{port}";

    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ProbeEvery = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(10);
    private const int KeptOutputLines = 20;

    private readonly Process _process;
    private readonly Queue<string> _output = new(KeptOutputLines);
    private readonly TimeProvider _time;

    private PeerProcess(Process process, TimeProvider time)
    {
        _process = process;
        _time = time;
    }

    internal int Port { get; private set; }

    internal int Id => _process.Id;

    internal bool HasExited => _process.HasExited;

    /// <summary>Starts <paramref name="command"/> and waits until <paramref name="port"/> accepts a connection.</summary>
    /// <exception cref="MooringBenchException">It cannot be started, ended at once, or did not listen in time.</exception>
    internal static async Task<PeerProcess> StartAsync(
        IReadOnlyList<string> command, int port, TimeProvider time, CancellationToken cancellationToken)
    {
        var peer = Start(
            [.. command.Select(argument => argument.Replace(
                PortPlaceholder, port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal))],
            time);
        peer.Port = port;
        try
        {
            await peer.WaitUntilAcceptingAsync(cancellationToken);
            return peer;
        }
        catch
        {
            await peer.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts <paramref name="command"/> without waiting for anything.</summary>
    /// <exception cref="MooringBenchException">It cannot be started.</exception>
    internal static PeerProcess Start(IReadOnlyList<string> command, TimeProvider time)
    {
        var start = new ProcessStartInfo(command[0]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in command.Skip(1)) start.ArgumentList.Add(argument);
        var peer = new PeerProcess(Launch(start), time);
        peer.CollectOutput();
        return peer;
    }

    /// <summary>A port of the loopback interface that is free now.</summary>
    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Asks the process to stop (SIGTERM); the time until it had exited, or null when it had to be killed.</summary>
    internal async Task<TimeSpan?> StopAsync(TimeSpan within)
    {
        if (_process.HasExited) return TimeSpan.Zero;
        var started = _time.GetTimestamp();
        using (var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]))
            await kill.WaitForExitAsync();
        using var limit = new CancellationTokenSource(within, _time);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
            return _time.GetElapsedTime(started);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(StopWithin);
        _process.Dispose();
    }

    private static Process Launch(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start) ?? throw new MooringBenchException($"{start.FileName}: could not be started");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new MooringBenchException($"{start.FileName}: could not be started: {e.Message}");
        }
    }

    private async Task WaitUntilAcceptingAsync(CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        while (true)
        {
            if (_process.HasExited)
                throw new MooringBenchException($"{_process.StartInfo.FileName} ended with code {_process.ExitCode}: {LastOutput()}");
            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await probe.ConnectAsync(new IPEndPoint(IPAddress.Loopback, Port), cancellationToken);
                return;
            }
            catch (SocketException) when (_time.GetElapsedTime(started) < ReadyWithin)
            {
                await Task.Delay(ProbeEvery, _time, cancellationToken);
            }
            catch (SocketException)
            {
                throw new MooringBenchException(
                    $"{_process.StartInfo.FileName} did not listen on port {Port} within {ReadyWithin.TotalSeconds:0} s: {LastOutput()}");
            }
        }
    }

    private void CollectOutput()
    {
        _process.OutputDataReceived += (_, e) => Keep(e.Data);
        _process.ErrorDataReceived += (_, e) => Keep(e.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    private void Keep(string? line)
    {
        if (string.IsNullOrWhiteSpace(line)) return;
        lock (_output)
        {
            if (_output.Count == KeptOutputLines) _output.Dequeue();
            _output.Enqueue(line);
        }
    }

    private string LastOutput()
    {
        lock (_output) return _output.Count == 0 ? "it printed nothing" : _output.Last();
    }
}
