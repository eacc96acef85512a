using System.Globalization;
using System.IO.Pipelines;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Mooring.Tunnel.Client.Origin;

namespace Mooring.Tunnel.Client.Listening;

/// <summary>An application in this process: what would be a TCP connection to it is a pair of pipes.</summary>
internal sealed class AcceptedOrigin : IOrigin
{
    /// <summary>Connections that wait to be accepted, as the backlog of a port.</summary>
    private const int BacklogMax = 512;

    /// <summary>Bytes in each direction before the writer waits.</summary>
    private const int PauseBytes = 256 * 1024;

    private readonly Channel<ConnectionContext> _backlog = Channel.CreateBounded<ConnectionContext>(BacklogMax);
    private long _count;

    public string Authority => "localhost";

    public async ValueTask<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        var options = new PipeOptions(pauseWriterThreshold: PauseBytes, resumeWriterThreshold: PauseBytes / 2, useSynchronizationContext: false);
        var (toApplication, fromApplication) = (new Pipe(options), new Pipe(options));
        var id = string.Create(CultureInfo.InvariantCulture, $"tunnel-{Interlocked.Increment(ref _count)}");
        var application = new AcceptedConnection(id, new PipePair(toApplication.Reader, fromApplication.Writer));
        try
        {
            await _backlog.Writer.WriteAsync(application, cancellationToken);
        }
        catch (ChannelClosedException exception)
        {
            throw new OriginException("the application does not listen any more", exception);
        }
        return new PipeStream(fromApplication.Reader, toApplication.Writer, application.Abort);
    }

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken) =>
        await _backlog.Reader.WaitToReadAsync(cancellationToken) && _backlog.Reader.TryRead(out var connection) ? connection : null;

    public void Stop() => _backlog.Writer.TryComplete();

    private sealed record PipePair(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
