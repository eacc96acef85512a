using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Mooring.Tunnel.Server.Sessions;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>One line of JSON for each request. Requests never wait for the disk: when it is too slow, lines are dropped and counted.</summary>
internal sealed partial class AccessLog : IAsyncDisposable
{
    /// <summary>Lines that may wait: about two seconds of a busy server.</summary>
    private const int WaitingMax = 64 * 1024;

    private readonly Channel<byte[]>? _lines;
    private readonly Task _writing = Task.CompletedTask;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly string _path;
    private long _dropped;
    private long _failed;

    public AccessLog(string? path, TimeProvider time, ILogger logger)
    {
        (_path, _time, _logger) = (path ?? "", time, logger);
        if (path is null) return;
        var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        _lines = Channel.CreateBounded<byte[]>(
            new BoundedChannelOptions(WaitingMax) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite }, _ => Interlocked.Increment(ref _dropped));
        _writing = WriteAsync(_lines.Reader, file);
    }

    public bool IsOn => _lines is not null;

    public void Write(IngressRequest request, TunnelBinding? binding, TimeSpan duration)
    {
        using var stream = new MemoryStream(384);
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("time", _time.GetUtcNow());
            json.WriteString("id", request.RequestId);
            json.WriteString("tunnel", binding?.Name);
            json.WriteString("account", binding?.Account.Id);
            json.WriteString("session", binding?.Session.Id);
            json.WriteString("visitor", request.RemoteText);
            json.WriteString("method", request.Request.Method);
            json.WriteString("host", request.Request.Headers.Host.ToString());
            // The query may hold secrets of the application.
            json.WriteString("path", request.Request.Path);
            json.WriteNumber("status", request.Response.StatusCode);
            json.WriteNumber("bytes_in", request.BytesIn);
            json.WriteNumber("bytes_out", request.BytesOut);
            json.WriteNumber("ms", Math.Round(duration.TotalMilliseconds, 3));
            json.WriteEndObject();
        }
        stream.WriteByte((byte)'\n');
        _lines!.Writer.TryWrite(stream.ToArray());
    }

    public async ValueTask DisposeAsync()
    {
        _lines?.Writer.TryComplete();
        await _writing;
    }

    private async Task WriteAsync(ChannelReader<byte[]> lines, FileStream file)
    {
        await using var _ = file;
        while (await lines.WaitToReadAsync())
        {
            try
            {
                while (lines.TryRead(out var line)) await file.WriteAsync(line);
                await file.FlushAsync();
            }
            catch (IOException exception)
            {
                if (long.IsPow2(++_failed)) LogNotWritten(_logger, _path, exception.Message, _failed, Interlocked.Read(ref _dropped));
            }
        }
    }

    [LoggerMessage(6011, LogLevel.Warning, "{Path}: {Why} ({Count} times so far, {Dropped} lines dropped)")]
    private static partial void LogNotWritten(ILogger logger, string path, string why, long count, long dropped);
}
