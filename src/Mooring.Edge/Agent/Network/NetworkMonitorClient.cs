using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Protocol;
using Mooring.Edge.Protocol.Monitor;
using Mooring.Kernel.Links;

namespace Mooring.Edge.Agent.Network;

/// <summary>
/// The agent's connection to the network monitor. One command at a time, because the answers of earlier monitors bear no number; after a
/// command without answer the connection is made anew, so that a late answer cannot be taken for another.
/// </summary>
/// <param name="options">Socket and bounds.</param>
/// <param name="network">Told what the monitor tells.</param>
/// <param name="time">Clock of waits and time-outs.</param>
/// <param name="logger">Told of connections and of what cannot be read.</param>
internal sealed partial class NetworkMonitorClient(
    NetworkMonitorOptions options, HostNetwork network, TimeProvider time, ILogger<NetworkMonitorClient> logger) : INetworkMonitor, IDisposable
{
    private const string NotConnected = "the network monitor is not connected";

    private readonly SemaphoreSlim _oneCommand = new(1, 1);
    private Connection? _connection;
    private long _lastId;

    /// <summary>Raised when the monitor is connected and is being read from: commands may be sent from here on.</summary>
    public event Action? Connected;

    /// <inheritdoc/>
    public bool IsConnected => Volatile.Read(ref _connection) is not null;

    /// <summary>Keeps the connection until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var link = new LinkMachine(time, logger);
        var reconnector = new Reconnector(link, BackoffPolicy.Fixed(options.RetryDelay), time, () => 0, logger);
        await reconnector.RunAsync(ServeAsync, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<MonitorAnswer> SendAsync(MonitorCommand command, CancellationToken cancellationToken)
    {
        await _oneCommand.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (Volatile.Read(ref _connection) is not { } connection) return MonitorAnswer.Failed(NotConnected);
            using var limit = new CancellationTokenSource(options.CommandTimeout, time);
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            try
            {
                return await connection.AskAsync(command with { RequestId = ++_lastId }, linked.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                connection.Abort();
                cancellationToken.ThrowIfCancellationRequested();
                return MonitorAnswer.Failed($"the network monitor did not answer {command.Command} within {options.CommandTimeout.TotalSeconds} s");
            }
            catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
            {
                return MonitorAnswer.Failed(NotConnected);
            }
        }
        finally
        {
            _oneCommand.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _oneCommand.Dispose();

    private async Task<LinkEnd> ServeAsync(Action up, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(options.SocketPath), cancellationToken).ConfigureAwait(false);
        using var connection = new Connection(socket);
        Volatile.Write(ref _connection, connection);
        up();
        LogConnected(logger, options.SocketPath);
        try
        {
            var reading = ReadAsync(connection, cancellationToken);
            Connected?.Invoke();
            await reading.ConfigureAwait(false);
            return LinkEnd.Retry("the network monitor closed the connection");
        }
        finally
        {
            Volatile.Write(ref _connection, null);
            connection.Abort();
            network.Disconnect();
        }
    }

    private async Task ReadAsync(Connection connection, CancellationToken cancellationToken)
    {
        var reader = PipeReader.Create(connection.Stream);
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            var rest = read.Buffer;
            while (JsonLines.TryRead(ref rest, out var line))
                if (line.Length > 0) Take(connection, line);
            if (rest.Length > MonitorJson.MaxLineBytes) throw new IOException($"a line of the network monitor is longer than {MonitorJson.MaxLineBytes} bytes");
            reader.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted) return;
        }
    }

    private void Take(Connection connection, byte[] line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new JsonException("not an object");
            if (!document.RootElement.TryGetProperty("type", out _))
                connection.Answer(document.RootElement.Deserialize(MonitorJson.Default.MonitorAnswer)!);
            else
                network.Apply(document.RootElement.Deserialize(MonitorJson.Default.MonitorEvent)!);
        }
        catch (JsonException e)
        {
            LogUnreadable(logger, e.Message);
        }
    }

    [LoggerMessage(7010, LogLevel.Information, "connected to the network monitor at {SocketPath}")]
    private static partial void LogConnected(ILogger logger, string socketPath);

    [LoggerMessage(7011, LogLevel.Warning, "a line of the network monitor is ignored: {Reason}")]
    private static partial void LogUnreadable(ILogger logger, string reason);

    private sealed class Connection(Socket socket) : IDisposable
    {
        private readonly ConcurrentQueue<(long Id, TaskCompletionSource<MonitorAnswer> Answer)> _asked = new();

        public NetworkStream Stream { get; } = new(socket, ownsSocket: false);

        public async Task<MonitorAnswer> AskAsync(MonitorCommand command, CancellationToken cancellationToken)
        {
            var answer = new TaskCompletionSource<MonitorAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
            _asked.Enqueue((command.RequestId!.Value, answer));
            var line = JsonSerializer.SerializeToUtf8Bytes(command, MonitorJson.Default.MonitorCommand);
            await Stream.WriteAsync((byte[])[.. line, (byte)'\n'], cancellationToken).ConfigureAwait(false);
            return await answer.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        /// <summary>An answer without a number belongs to the one command that was sent.</summary>
        public void Answer(MonitorAnswer answer)
        {
            if (!_asked.TryPeek(out var asked) || (answer.RequestId is { } id && id != asked.Id)) return;
            _asked.TryDequeue(out _);
            asked.Answer.TrySetResult(answer);
        }

        public void Abort()
        {
            socket.Dispose();
            while (_asked.TryDequeue(out var asked)) asked.Answer.TrySetException(new IOException("the connection ended"));
        }

        public void Dispose() => Stream.Dispose();
    }
}
