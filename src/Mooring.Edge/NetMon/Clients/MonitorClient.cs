using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text.Json;
using System.Threading.Channels;
using Mooring.Edge.Protocol;
using Mooring.Edge.Protocol.Monitor;

namespace Mooring.Edge.NetMon.Clients;

/// <summary>One connected agent: commands are run as they come, beside each other, and each is answered when it is done.</summary>
internal sealed class MonitorClient(Socket socket, MonitorCommands commands) : IDisposable
{
    private readonly NetworkStream _stream = new(socket, ownsSocket: true);
    private readonly SemaphoreSlim _running = new(NetMonLimits.CommandsPerClient, NetMonLimits.CommandsPerClient);

    private readonly Channel<byte[]> _lines = Channel.CreateBounded<byte[]>(
        new BoundedChannelOptions(NetMonLimits.LinesPerClient) { SingleReader = true });

    // Ended when a line found no room: those that wait are for a client that does not read.
    private readonly TaskCompletionSource _overrun = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Queues an event. A client that does not read loses its connection, and is told everything anew when it comes back.</summary>
    public void Tell(MonitorEvent told) => Send(JsonSerializer.SerializeToUtf8Bytes(told, MonitorJson.Default.MonitorEvent));

    /// <summary>Serves the agent until it leaves.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var writing = WriteAsync(end.Token);
        var reading = ReadAsync(end.Token);
        await Task.WhenAny(writing, reading, _overrun.Task).ConfigureAwait(false);
        await end.CancelAsync().ConfigureAwait(false);
        var both = Task.WhenAll(writing, reading);
        await both.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_overrun.Task.IsCompleted) throw new IOException($"it left {NetMonLimits.LinesPerClient} lines unread");
        await both.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _lines.Writer.TryComplete();
        _stream.Dispose();
    }

    private void Send(byte[] line)
    {
        if (!_lines.Writer.TryWrite(line)) _overrun.TrySetResult();
    }

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        await foreach (var line in _lines.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            await _stream.WriteAsync((byte[])[.. line, (byte)'\n'], cancellationToken).ConfigureAwait(false);
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        var reader = PipeReader.Create(_stream);
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            var rest = read.Buffer;
            while (JsonLines.TryRead(ref rest, out var line))
                if (line.Length > 0) await BeginAsync(line, cancellationToken).ConfigureAwait(false);
            if (rest.Length > MonitorJson.MaxLineBytes) throw new InvalidDataException($"its line is longer than {MonitorJson.MaxLineBytes} bytes");
            reader.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted) return;
        }
    }

    private async Task BeginAsync(byte[] line, CancellationToken cancellationToken)
    {
        MonitorCommand? command;
        try
        {
            command = JsonSerializer.Deserialize(line, MonitorJson.Default.MonitorCommand);
        }
        catch (JsonException)
        {
            command = null;
        }
        if (command is null)
        {
            Answer(MonitorAnswer.Failed("Invalid JSON"));
            return;
        }
        await _running.WaitAsync(cancellationToken).ConfigureAwait(false);
        _ = RunAsync(command, cancellationToken);
    }

    private async Task RunAsync(MonitorCommand command, CancellationToken cancellationToken)
    {
        var answer = await commands.RunAsync(command, cancellationToken).ConfigureAwait(false);
        Answer(answer with { RequestId = command.RequestId });
        _running.Release();
    }

    private void Answer(MonitorAnswer answer) => Send(JsonSerializer.SerializeToUtf8Bytes(answer, MonitorJson.Default.MonitorAnswer));
}
