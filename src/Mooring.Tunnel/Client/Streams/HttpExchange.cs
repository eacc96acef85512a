using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Mooring.Tunnel.Client.Inspection;
using Mooring.Tunnel.Client.Origin;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Protocol.Http;

namespace Mooring.Tunnel.Client.Streams;

/// <summary>One HTTP request to the application and its response, both streamed.</summary>
internal sealed class HttpExchange : ClientStream, IOutletOwner
{
    /// <summary>Informational answers to one request that are passed on.</summary>
    private const int InterimsMax = 4;

    private readonly PooledBytes _head = new(0);
    private readonly StreamOutlet? _body;
    private readonly bool _isChunked;
    private readonly bool _isHead;
    private readonly bool _isIdempotent;
    private readonly bool _isRefused;
    private readonly string _method;
    private readonly string _path;
    private readonly Transaction? _transaction;
    private OriginConnection? _connection;
    private string? _malformed;
    private int _interims;
    private int _status;

    public HttpExchange(ClientSession session, ClientTunnel tunnel, in FrameView open)
        : base(session, tunnel, open)
    {
        _method = Encoding.ASCII.GetString(RequestHead.Method(open));
        _path = FrameView.Text(open.Path);
        _isHead = _method == "HEAD";
        _isIdempotent = _method is "GET" or "HEAD" or "OPTIONS" or "PUT" or "DELETE" or "TRACE";
        _isRefused = tunnel.Definition.Auth is { } auth && tunnel.Grant is not { IsAuthEnforced: true } && !BasicCredentials.Match(open.Headers, auth);
        try
        {
            _isChunked = RequestHead.Write(open, tunnel.Definition.HostHeader, tunnel.Pool.Origin.Authority, _head);
        }
        catch (TunnelProtocolException exception)
        {
            _malformed = exception.Message;
        }
        if (tunnel.Inspector is not null) _transaction = new Transaction(tunnel, _method, _path, RequestId, session.Time.GetUtcNow());
        if (open.HasBody)
        {
            _body = new StreamOutlet(this, Frames.Waiting);
        }
        else if (!open.Bytes.IsEmpty)
        {
            // Version 1 has the whole body here.
            _head.Append(open.Bytes);
            tunnel.Received(open.Bytes.Length);
        }
        _transaction?.AddRequest(_head.Span);
    }

    public override void OnData(in FrameView frame)
    {
        if (frame.Credit > 0) Credit?.Add(frame.Credit);
        if (_body is null) return;
        if (!frame.Bytes.IsEmpty && !TryAppend(frame.Bytes))
        {
            EndWithReset($"the memory cap for bodies that wait for the application is reached: {Frames.Link.Limits.WaitingBytesMax} bytes");
            _body.Abandon();
            Interlocked.Exchange(ref _connection, null)?.Dispose();
        }
        if (frame.Framing != DataFraming.Last && !frame.IsEnd) return;
        if (_isChunked) TryAppendRaw([], "0\r\n\r\n"u8, []);
        _body.Complete();
    }

    public override void OnBatchEnd() => _body?.Kick();

    public override void OnClose(in FrameView frame) => OnReset("the visitor is gone");

    public override void OnReset(string reason)
    {
        if (!TryEnd()) return;
        _body?.Abandon();
        Interlocked.Exchange(ref _connection, null)?.Dispose();
    }

    void IOutletOwner.OnWritten(int payloadBytes)
    {
        Tunnel.Received(payloadBytes);
        Ledger.Consumed(payloadBytes);
    }

    void IOutletOwner.OnDrained()
    {
    }

    // The application may answer without reading all; whether it did is found by who reads the answer.
    void IOutletOwner.OnOutletBroken()
    {
    }

    protected override async Task RunAsync()
    {
        Tunnel.Count();
        try
        {
            if (_malformed is not null) Answer(400, "Bad Request", _malformed, null);
            else if (_isRefused) Answer(401, "Unauthorized", "Unauthorized", "Basic realm=\"retunnel\"");
            else await ExchangeAsync();
        }
        catch (OriginException exception)
        {
            if (_status == 0) Answer(502, "Bad Gateway", exception.Message, null);
            else EndWithReset(exception.Message);
        }
        catch (TunnelProtocolException exception)
        {
            if (_status == 0) Answer(502, "Bad Gateway", $"the application's answer is no HTTP: {exception.Message}", null);
            else EndWithReset($"the application's body is broken: {exception.Message}");
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            if (_status == 0) Answer(502, "Bad Gateway", "the application closed the connection without an answer", null);
            else EndWithReset("the application closed the connection inside its answer");
        }
        finally
        {
            Interlocked.Exchange(ref _connection, null)?.Release();
            _head.Dispose();
            TryEnd();
            _body?.Abandon();
            if (_transaction is { } kept)
            {
                kept.Finish(_status, Session.Time.GetElapsedTime(Started));
                Tunnel.Inspector?.Add(kept);
            }
            Tunnel.Observed?.Invoke(new ObservedRequest(_method, _path, _status, Session.Time.GetElapsedTime(Started), RequestId));
        }
    }

    private async Task ExchangeAsync()
    {
        var isReused = Tunnel.Pool.TryTake(_isIdempotent && _body is null, out var connection);
        connection ??= await Tunnel.Pool.ConnectAsync(CancellationToken.None);
        while (true)
        {
            Volatile.Write(ref _connection, connection);
            if (IsEnded) return;
            try
            {
                await connection.Stream.WriteAsync(_head.Memory);
                _body?.Open(connection.Stream);
                await ForwardAsync(connection);
                return;
            }
            catch (IOException) when (isReused && _status == 0 && _isIdempotent && _body is null && connection.Unread.IsEmpty && !IsEnded)
            {
                // It was closed between two requests: once more, on a new one.
                isReused = false;
                Interlocked.Exchange(ref _connection, null)?.Release();
                connection = await Tunnel.Pool.ConnectAsync(CancellationToken.None);
            }
        }
    }

    // A reset from the visitor may come at the same moment; only one of both gets the connection.
    private void Return()
    {
        if (Interlocked.Exchange(ref _connection, null) is { } connection) Tunnel.Pool.Return(connection);
    }

    private bool TryAppend(ReadOnlySpan<byte> bytes)
    {
        if (!_isChunked) return TryAppendRaw(bytes, [], []);
        Span<byte> size = stackalloc byte[10];
        Utf8Formatter.TryFormat(bytes.Length, size, out var length, new StandardFormat('x'));
        "\r\n"u8.CopyTo(size[length..]);
        return TryAppendRaw(bytes, size[..(length + 2)], "\r\n"u8);
    }

    private bool TryAppendRaw(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> before, ReadOnlySpan<byte> after)
    {
        if (_transaction is { } kept)
        {
            kept.AddRequest(before);
            kept.AddRequest(bytes);
            kept.AddRequest(after);
        }
        return _body!.TryAppend(bytes, before, after);
    }

    /// <summary>Passes the response on, and the connection back to the pool when it can serve another request.</summary>
    private async Task ForwardAsync(OriginConnection connection)
    {
        ResponseFacts facts;
        while (!TryForwardHead(connection, out facts))
        {
            if (!await connection.FillAsync()) throw new IOException("closed");
        }
        var isWhole = facts.Framing switch
        {
            BodyFraming.None => true,
            BodyFraming.Length => await ForwardLengthAsync(connection, facts.Length),
            BodyFraming.Chunked => await ForwardChunkedAsync(connection),
            _ => await ForwardUntilCloseAsync(connection),
        };
        if (!isWhole) return;
        // Before the visitor sees the end: its next request may be here at once. A body that is still on its way to the application
        // would be taken for that request.
        if (facts.KeepsAlive && facts.Framing != BodyFraming.UntilClose && connection.Unread.IsEmpty && _body is null or { IsDrained: true }) Return();
        EndWithClose();
    }

    private bool TryForwardHead(OriginConnection connection, out ResponseFacts facts)
    {
        facts = default;
        while (true)
        {
            if (!HttpResponseHead.TryRead(connection.Unread.Span, out var head, out var length)) return false;
            if (head.Status == 101) throw new TunnelProtocolException(TunnelProtocolError.Malformed, "it switches protocols unasked");
            if (head.Status >= 200)
            {
                _status = head.Status;
                facts = new ResponseFacts(head.Framing(_isHead), head.ContentLength ?? 0, head.KeepsAlive);
                SendHead(head);
                _transaction?.AddResponse(connection.Unread.Span[..length]);
                connection.Use(length);
                return true;
            }
            // 100 answers an Expect, which is the server's to answer.
            if (head.Status > 100 && Frames.Version >= ProtocolVersion.Three && _interims++ < InterimsMax)
            {
                SendHead(head);
                // The final one may be long in coming.
                Frames.Link.Flush();
            }
            connection.Use(length);
        }
    }

    private void SendHead(in HttpResponseHead head)
    {
        var scratch = FrameLink.Scratch();
        ResponseHead.Write(scratch, head.Status, ResponseForwarding.Fields(head, Tunnel));
        Credit?.Charge(scratch.WrittenCount);
        Frames.EnqueueHead(Id, scratch.WrittenSpan);
    }

    private async ValueTask<bool> ForwardLengthAsync(OriginConnection connection, long left)
    {
        while (true)
        {
            var bytes = connection.Unread;
            if (bytes.Length > left) bytes = bytes[..(int)left];
            if (!bytes.IsEmpty)
            {
                if (!await SendAsync(bytes)) return false;
                connection.Use(bytes.Length);
                left -= bytes.Length;
            }
            if (left == 0) return true;
            Frames.Link.Flush();
            if (!await connection.FillAsync()) throw new IOException("closed");
        }
    }

    private async ValueTask<bool> ForwardUntilCloseAsync(OriginConnection connection)
    {
        while (true)
        {
            if (!connection.Unread.IsEmpty)
            {
                if (!await SendAsync(connection.Unread)) return false;
                connection.Use(connection.Unread.Length);
            }
            Frames.Link.Flush();
            if (!await connection.FillAsync()) return true;
        }
    }

    private async ValueTask<bool> ForwardChunkedAsync(OriginConnection connection)
    {
        var decoder = new ChunkedDecoder();
        while (true)
        {
            while (!connection.Unread.IsEmpty && !decoder.IsDone)
            {
                var unread = connection.Unread;
                var count = decoder.Read(unread.Span, out var used).Length;
                if (count > 0 && !await SendAsync(unread.Slice(used - count, count))) return false;
                connection.Use(used);
            }
            if (decoder.IsDone)
            {
                SendTrailers(decoder.Trailers);
                return true;
            }
            Frames.Link.Flush();
            if (!await connection.FillAsync()) throw new IOException("closed");
        }
    }

    private void SendTrailers(ReadOnlySpan<byte> lines)
    {
        if (lines.IsEmpty || !Frames.Has(Capabilities.Trailers)) return;
        var trailers = ResponseForwarding.Trailers(lines);
        if (trailers.IsEmpty) return;
        var scratch = FrameLink.Scratch();
        ResponseHead.WriteTrailers(scratch, trailers);
        Credit?.Charge(scratch.WrittenCount);
        Frames.EnqueueHead(Id, scratch.WrittenSpan);
    }

    private ValueTask<bool> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        if (IsEnded) return new ValueTask<bool>(false);
        _transaction?.AddResponse(bytes.Span);
        Tunnel.Sent(bytes.Length);
        return Frames.SendAsync(Id, Credit, bytes);
    }

    private void Answer(int status, string title, string text, string? challenge)
    {
        _status = status;
        if (IsEnded) return;
        var body = Encoding.UTF8.GetBytes(status == 401 ? title : $"{status} {title}\n{text}\n{(RequestId.Length > 0 ? $"request {RequestId}\n" : "")}");
        var block = new HeaderBlock();
        block.Add("Content-Type", "text/plain; charset=utf-8");
        block.Add("Content-Length", body.Length.ToString(CultureInfo.InvariantCulture));
        if (challenge is not null) block.Add("WWW-Authenticate", challenge);
        var scratch = FrameLink.Scratch();
        ResponseHead.Write(scratch, status, block.Encoded);
        Credit?.Charge(scratch.WrittenCount + body.Length);
        Frames.EnqueueHead(Id, scratch.WrittenSpan);
        if (!_isHead) Frames.EnqueueData(Id, body);
        EndWithClose();
    }

    private readonly record struct ResponseFacts(BodyFraming Framing, long Length, bool KeepsAlive);
}
