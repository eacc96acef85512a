using System.IO.Pipelines;
using System.Threading.Tasks.Sources;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Server.Accounts;
using Mooring.Tunnel.Server.Sessions;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>
/// One HTTP request of a visitor. The session's reading loop writes the response straight into the visitor's connection and flushes once
/// for all that was read; nothing is copied in between unless the visitor is slower than the client.
/// </summary>
internal sealed class HttpVisitor(StreamSession session, TunnelBinding binding, IngressRequest request)
    : RequestVisitor(session, binding, request), IValueTaskSource<string?>
{
    private readonly Lock _gate = new();
    private readonly PooledBytes _overflow = new(0);
    private ManualResetValueTaskSourceCore<string?> _ended = new() { RunContinuationsAsynchronously = false };
    private CancellationTokenRegistration _gone;
    private string? _failure;
    private int _interims;
    private bool _hasHead;
    private bool _isFlushing;
    private bool _isClosed;
    private bool _isReported;
    private bool _isPartlyFlushed;
    private int _unflushed;
    private bool _isSending;
    private volatile bool _isVisitorAwaited;

    public override int Waiting => _overflow.Length;

    protected override async Task ServeAsync()
    {
        _isSending = Request.HasBody;
        if (Frames.Version == ProtocolVersion.One)
        {
            if (!await OpenWholeAsync()) return;
        }
        else
        {
            Open(StreamMode.Http, _isSending);
        }
        _gone = Request.Features.GetRequiredFeature<IHttpRequestLifetimeFeature>().RequestAborted
            .UnsafeRegister(static visitor => ((HttpVisitor)visitor!).OnVisitorGone(), this);
        var sending = _isSending && Frames.Version > ProtocolVersion.One ? SendBodyAsync() : Task.CompletedTask;
        var failure = await new ValueTask<string?>(this, _ended.Version);
        _gone.Unregister();
        if (!sending.IsCompleted)
        {
            Request.Features.GetRequiredFeature<IRequestBodyPipeFeature>().Reader.CancelPendingRead();
            await sending;
        }
        _overflow.Dispose();
        if (failure is null) return;
        if (Request.Response.HasStarted || _hasHead) Request.Abort();
        else if (failure == AccountUsage.CutForTheDay) await RefuseForTheDayAsync();
        else await ErrorPages.WriteAsync(Request, failure switch { Timeout => 504, BodyTimeout => 408, _ => 502 }, failure);
    }

    public override void OnData(in FrameView frame)
    {
        if (frame.Credit > 0) Credit?.Add(frame.Credit);
        if (frame.Bytes.IsEmpty) return;
        Touch();
        lock (_gate)
        {
            if (_isClosed) return;
            try
            {
                if (!_hasHead) OnHead(frame.Bytes);
                else if (frame.Framing == DataFraming.Last) OnTrailers(frame.Bytes);
                else OnBody(frame.Bytes);
            }
            catch (Exception exception) when (exception is TunnelProtocolException or InvalidOperationException or ArgumentException)
            {
                // The visitor's side of the server refuses what HTTP does not allow, such as more bytes than announced.
                Fail($"the application's answer cannot be passed on: {exception.Message}");
            }
        }
    }

    public override void OnClose(int code, string reason)
    {
        TryEnd();
        lock (_gate)
        {
            if (_hasHead) _isClosed = true;
            else Fail("the client closed the stream without an answer");
        }
    }

    public override void OnReset(string reason)
    {
        TryEnd();
        QueueReport(reason.Length > 0 ? reason : "the client reset the stream");
    }

    public override void OnBatchEnd()
    {
        lock (_gate)
        {
            if (_isFlushing) return;
            // An answer that came whole is flushed by the server together with its end.
            if (!_isClosed || _isPartlyFlushed) Flush();
            if (_isFlushing || !_isClosed) return;
        }
        Report(null);
    }

    public override void Tick()
    {
        if (_isClosed || _isFlushing) return;
        if (!_hasHead && !_isSending && IsIdleFor(Session.Limits.FirstByteTimeout)) GiveUp(Timeout);
        else if (IsIdleFor(Session.Limits.IdleTimeout)) GiveUp(_hasHead ? "the application stopped in the middle of its answer" : _isVisitorAwaited ? BodyTimeout : Timeout);
    }

    /// <summary>Informational answers to one request that are passed on.</summary>
    private const int InterimsMax = 4;

    private const string BodyTimeout = "the body of the request did not come";

    private const string Timeout = "the application did not answer in time";

    // Version 1 has the whole body in StreamOpen.
    private async Task<bool> OpenWholeAsync()
    {
        var body = new PooledBytes(0);
        try
        {
            if (_isSending && !await WholeBody.ReadAsync(Request, body, WireLimits.MessageBytesMax - Session.Limits.HeaderBytesMax * 2))
            {
                TryEnd();
                await ErrorPages.WriteAsync(Request, 413, "the body is too large for this client");
                return false;
            }
            if (Binding.TakeIn(body.Length) < body.Length)
            {
                TryEnd();
                await RefuseForTheDayAsync();
                return false;
            }
            _isSending = false;
            Open(StreamMode.Http, wholeBody: body.Span);
            return true;
        }
        finally
        {
            body.Dispose();
        }
    }

    private async Task SendBodyAsync()
    {
        var reader = Request.Features.GetRequiredFeature<IRequestBodyPipeFeature>().Reader;
        try
        {
            while (!IsEnded)
            {
                _isVisitorAwaited = true;
                var read = await reader.ReadAsync();
                _isVisitorAwaited = false;
                foreach (var segment in read.Buffer)
                {
                    Touch();
                    var taken = Binding.TakeIn(segment.Length);
                    Request.BytesIn += taken;
                    if (!await Frames.SendAsync(Id, Credit, segment[..taken], last: DataFraming.More)) break;
                    if (taken == segment.Length) continue;
                    GiveUp(AccountUsage.CutForTheDay);
                    break;
                }
                reader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    Frames.EnqueueData(Id, [], DataFraming.Last);
                    Frames.Link.Flush();
                    break;
                }
                Frames.Link.Flush();
                if (read.IsCanceled) break;
            }
            Touch();
        }
        catch (Exception exception) when (exception is IOException or BadHttpRequestException or OperationCanceledException)
        {
            OnVisitorGone();
        }
        _isSending = false;
    }

    private void OnHead(ReadOnlySpan<byte> bytes)
    {
        var head = ResponseHead.Read(bytes);
        Consumed(bytes.Length);
        if (head.IsTrailers) return;
        if (head.Status < 200)
        {
            // So many that they can be told apart from a flood.
            if (_interims++ < InterimsMax) InterimResponse.Write(Request, head);
            return;
        }
        ResponseFields.Apply(head, Request.Response);
        _hasHead = true;
        // Only puts the head into the connection's buffer; the body can then be written behind it without a copy.
        _ = Request.Body.StartAsync();
    }

    private void OnBody(ReadOnlySpan<byte> bytes)
    {
        var taken = Binding.TakeOut(bytes.Length);
        Request.BytesOut += taken;
        if (!Request.IsHead)
        {
            if (_isFlushing || _overflow.Length > 0) _overflow.Append(bytes[..taken]);
            else Write(bytes[..taken]);
        }
        if (taken < bytes.Length) Fail(AccountUsage.CutForTheDay);
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        var writer = Request.Body.Writer;
        _unflushed += bytes.Length;
        while (!bytes.IsEmpty)
        {
            // Without a hint, what is left of a buffer may be nothing.
            var space = writer.GetSpan(1);
            var count = Math.Min(space.Length, bytes.Length);
            bytes[..count].CopyTo(space);
            writer.Advance(count);
            bytes = bytes[count..];
        }
    }

    private void OnTrailers(ReadOnlySpan<byte> bytes)
    {
        var trailers = ResponseHead.Read(bytes);
        Consumed(bytes.Length);
        if (Request.Features.Get<IHttpResponseTrailersFeature>() is { } feature) ResponseFields.Apply(trailers.Trailers, feature.Trailers);
    }

    // Under the gate.
    private void Flush()
    {
        if (!_hasHead || _isReported) return;
        _isPartlyFlushed = true;
        var flushing = Request.Body.Writer.FlushAsync();
        if (flushing.IsCompletedSuccessfully)
        {
            if (flushing.Result.IsCompleted) OnVisitorGone();
            Flushed();
            return;
        }
        _isFlushing = true;
        _ = WaitForFlushAsync(flushing);
    }

    private void Flushed()
    {
        Consumed(_unflushed);
        _unflushed = 0;
    }

    private async Task WaitForFlushAsync(ValueTask<FlushResult> flushing)
    {
        while (true)
        {
            var isGone = false;
            try
            {
                isGone = (await flushing).IsCompleted;
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException or InvalidOperationException or ObjectDisposedException)
            {
                isGone = true;
            }
            Touch();
            lock (_gate)
            {
                Flushed();
                if (isGone || _isReported || _overflow.Length == 0)
                {
                    _isFlushing = false;
                    if (!isGone && !_isClosed) return;
                    if (!isGone) break;
                }
                else
                {
                    Write(_overflow.Span);
                    _overflow.Clear();
                    flushing = Request.Body.Writer.FlushAsync();
                    continue;
                }
            }
            OnVisitorGone();
            return;
        }
        Report(null);
    }

    private void OnVisitorGone() => GiveUp("the visitor is gone");

    private void GiveUp(string reason)
    {
        TryReset(reason);
        QueueReport(reason);
    }

    // Not on this thread, which may hold the gate or be the reading loop of many streams.
    private void QueueReport(string reason) =>
        ThreadPool.UnsafeQueueUserWorkItem(static state => state.Visitor.Report(state.Reason), (Visitor: this, Reason: reason), preferLocal: false);

    // The end of the batch, which reports what is closed, is not to take it for a good end.
    private void Fail(string reason)
    {
        _failure ??= reason;
        _isClosed = true;
        GiveUp(reason);
    }

    private void Report(string? failure)
    {
        lock (_gate)
        {
            if (_isReported) return;
            _isReported = true;
            _isClosed = true;
        }
        _ended.SetResult(_failure ?? failure);
    }

    string? IValueTaskSource<string?>.GetResult(short token) => _ended.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<string?>.GetStatus(short token) => _ended.GetStatus(token);

    void IValueTaskSource<string?>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _ended.OnCompleted(continuation, state, token, flags);
}
