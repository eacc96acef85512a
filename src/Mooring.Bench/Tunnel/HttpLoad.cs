using System.Net;
using System.Net.Sockets;
using System.Text;
using Mooring.Bench.Mqtt;

namespace Mooring.Bench.Tunnel;

/// <summary>Requests over so many connections, each waiting for its answer before it asks again. Every answer's length is checked.</summary>
internal sealed class HttpLoad(IPEndPoint target, string host, string path, int responseBytes, bool reconnects, TimeProvider time)
{
    private const int BufferBytes = 16 * 1024;

    private readonly byte[] _request = Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {host}\r\n{(reconnects ? "Connection: close\r\n" : "")}\r\n");
    private readonly LatencyHistogram _latencies = new();
    private int _failures;

    /// <summary>Runs once.</summary>
    public async Task<LoadResult> RunAsync(int connections, TimeSpan duration, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var tasks = new Task[connections];
        var started = time.GetTimestamp();
        for (var i = 0; i < connections; i++)
        {
            tasks[i] = RunConnectionAsync(stop.Token);
        }
        await Task.Delay(duration, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await stop.CancelAsync();
        var elapsed = time.GetElapsedTime(started);
        await Task.WhenAll(tasks);
        return new LoadResult(_latencies.Count / elapsed.TotalSeconds, _latencies.Count, _failures, _latencies);
    }

    private async Task RunConnectionAsync(CancellationToken stop)
    {
        var buffer = new byte[BufferBytes];
        Socket? socket = null;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var began = time.GetTimestamp();
                if (socket is null)
                {
                    socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                    await socket.ConnectAsync(target, stop);
                }
                await socket.SendAsync(_request, stop);
                await ReceiveAsync(socket, buffer, stop);
                lock (_latencies) _latencies.Record((long)time.GetElapsedTime(began).TotalNanoseconds);
                if (!reconnects) continue;
                socket.Dispose();
                socket = null;
            }
            catch (OperationCanceledException)
            {
                break;
            }
            catch (Exception exception) when (exception is SocketException or IOException)
            {
                Interlocked.Increment(ref _failures);
                socket?.Dispose();
                socket = null;
            }
        }
        socket?.Dispose();
    }

    private async ValueTask ReceiveAsync(Socket socket, byte[] buffer, CancellationToken stop)
    {
        var length = 0;
        var needed = 0;
        while (needed == 0 || length < needed)
        {
            var count = await socket.ReceiveAsync(buffer.AsMemory(length), stop);
            if (count == 0) throw new IOException("closed");
            length += count;
            if (needed == 0) needed = Needed(buffer.AsSpan(0, length));
        }
        if (length != needed) throw new IOException("more than one answer");
    }

    private int Needed(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0) return 0;
        return bytes.StartsWith("HTTP/1.1 200"u8) ? end + 4 + responseBytes : throw new IOException("no 200");
    }
}
