using System.Net.Sockets;
using Mooring.Tunnel.Protocol.Http;

namespace Mooring.Tunnel.Client.Inspection;

/// <summary>Keeps the last exchanges of a client's HTTP tunnels, for looking at them and for sending them again. In memory only.</summary>
public sealed class TunnelInspector
{
    /// <summary>Exchanges kept.</summary>
    internal const int TransactionsMax = 500;

    /// <summary>Bytes kept of all together.</summary>
    internal const int BytesMax = 64 * 1024 * 1024;

    private static readonly TimeSpan s_replayTimeout = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly LinkedList<Transaction> _kept = new();
    private long _bytes;
    private long _lastId;

    /// <summary>The newest first.</summary>
    internal IReadOnlyList<Transaction> All
    {
        get { lock (_gate) return [.. _kept]; }
    }

    internal Transaction? Find(long id)
    {
        lock (_gate) return _kept.FirstOrDefault(transaction => transaction.Id == id);
    }

    internal void Add(Transaction transaction)
    {
        lock (_gate)
        {
            transaction.Id = ++_lastId;
            _kept.AddFirst(transaction);
            _bytes += Size(transaction);
            while (_kept.Count > TransactionsMax || (_bytes > BytesMax && _kept.Count > 1))
            {
                _bytes -= Size(_kept.Last!.Value);
                _kept.RemoveLast();
            }
        }
    }

    internal void Clear()
    {
        lock (_gate)
        {
            _kept.Clear();
            _bytes = 0;
        }
    }

    /// <summary>Sends a request to the application again, exactly as it was; the answer is kept as another exchange. Null when it was cut.</summary>
    internal async Task<Transaction?> ReplayAsync(Transaction original, TimeProvider time, CancellationToken cancellationToken)
    {
        if (original.IsRequestCut) return null;
        using var limit = new CancellationTokenSource(s_replayTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        var started = time.GetTimestamp();
        var replay = new Transaction(original.Tunnel, original.Method, original.Path, original.RequestId, time.GetUtcNow());
        replay.AddRequest(original.Request.Span);
        var status = 0;
        try
        {
            await using var stream = await original.Tunnel.Pool.Origin.ConnectAsync(both.Token);
            await stream.WriteAsync(original.Request, both.Token);
            status = await ReadAsync(stream, replay, original.Method == "HEAD", both.Token);
        }
        catch (Exception exception) when (exception is IOException or SocketException or Origin.OriginException or Protocol.TunnelProtocolException or OperationCanceledException)
        {
            status = 502;
        }
        replay.Finish(status, time.GetElapsedTime(started));
        Add(replay);
        return replay;
    }

    // To the end of the answer as its head announces it, or as much as is kept.
    private static async Task<int> ReadAsync(Stream stream, Transaction replay, bool isHead, CancellationToken cancellationToken)
    {
        var buffer = new byte[Transaction.BytesMax];
        var length = 0;
        while (length < buffer.Length)
        {
            var count = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken);
            length += count;
            if (count == 0 || IsWhole(buffer.AsSpan(0, length), isHead)) break;
        }
        replay.AddResponse(buffer.AsSpan(0, length));
        return HttpResponseHead.TryRead(buffer.AsSpan(0, length), out var head, out _) ? head.Status : 502;
    }

    private static bool IsWhole(ReadOnlySpan<byte> bytes, bool isHead)
    {
        if (!HttpResponseHead.TryRead(bytes, out var head, out var headLength)) return false;
        switch (head.Framing(isHead))
        {
            case BodyFraming.None:
                return true;
            case BodyFraming.Length:
                return bytes.Length - headLength >= head.ContentLength;
            case BodyFraming.Chunked:
                var decoder = new ChunkedDecoder();
                for (var rest = bytes[headLength..]; !rest.IsEmpty && !decoder.IsDone;)
                {
                    decoder.Read(rest, out var used);
                    rest = rest[used..];
                }
                return decoder.IsDone;
            default:
                return false;
        }
    }

    private static long Size(Transaction transaction) => transaction.Request.Length + transaction.Response.Length;
}
