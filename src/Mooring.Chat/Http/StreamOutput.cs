using Mooring.Chat.Rooms;

namespace Mooring.Chat.Http;

/// <summary>
/// Sends a session's bytes through a stream of the web server (TLS, WebSocket). At most one write is on its way; while it is, the
/// session keeps the rest in its logs.
/// </summary>
internal sealed class StreamOutput(Stream stream, Action abort) : ISessionOutput
{
    private Task _write = Task.CompletedTask;
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Set before the first write.</summary>
    internal Session Session { get; set; } = null!;

    /// <summary>Completes when everything was sent and the session has ended.</summary>
    internal Task Finished => _finished.Task;

    public int TryWrite(ReadOnlyMemory<byte> bytes)
    {
        if (!_write.IsCompleted) return 0;
        try
        {
            var write = stream.WriteAsync(bytes);
            if (!write.IsCompletedSuccessfully) _write = write.AsTask();
        }
        catch (Exception exception) when (IsTransportFault(exception))
        {
            _write = Task.CompletedTask;
        }
        return bytes.Length;
    }

    public void ResumeWhenWritable() => _ = ResumeAsync();

    public void Finish() => _ = FinishAsync();

    public void Abort()
    {
        abort();
        _finished.TrySetResult();
    }

    internal static bool IsTransportFault(Exception exception) =>
        exception is IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException;

    private async Task ResumeAsync()
    {
        await WrittenAsync().ConfigureAwait(false);
        Session.Resume();
    }

    private async Task FinishAsync()
    {
        await WrittenAsync().ConfigureAwait(false);
        _finished.TrySetResult();
    }

    private async Task WrittenAsync()
    {
        try
        {
            await _write.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }
        catch (Exception exception) when (IsTransportFault(exception))
        {
            // The reading side learns what happened.
        }
    }
}
