using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Server.Accounts;
using Mooring.Tunnel.Server.Ingress;

namespace Mooring.Tunnel.Server.Sessions;

/// <summary>A client of generation B: one connection with many streams.</summary>
internal sealed partial class StreamSession : ServerSession, ILinkReceiver
{
    private const int RequestsWaitingMax = 64;

    private readonly ConcurrentDictionary<long, VisitorStream> _streams = new();
    private readonly List<VisitorStream> _touched = [];
    private readonly Queue<TunnelRequest> _wanted = new();
    private long _nextStreamId = -1;
    private long _refusedOpens;
    private long _refusedTunnels;
    private long _lastHeartbeat;

    public StreamSession(string id, Account account, WebSocketLink link, string remote, SessionContext context, int version, Capabilities capabilities)
        : base(id, account, link, remote, context)
    {
        _lastHeartbeat = context.Time.GetTimestamp();
        Frames = new FrameLink(link);
        var agreed = ProtocolVersion.Agree(ProtocolVersion.Three, version);
        Frames.Agree(agreed, ProtocolVersion.Agree(agreed, Capabilities.All, capabilities));
    }

    public FrameLink Frames { get; }

    public TimeProvider Time => Context.Time;

    public TunnelServerLimits Limits => Context.Options.Limits;

    public override string Generation => $"B/{Frames.Version}";

    public override int StreamCount => _streams.Count;

    public long NextStreamId() => Interlocked.Increment(ref _nextStreamId);

    /// <summary>Answers Auth.</summary>
    public void Welcome()
    {
        var scratch = FrameLink.Scratch();
        if (Frames.Version == ProtocolVersion.One) FrameWriter.WriteHeartbeatAck(scratch);
        else FrameWriter.WriteWelcome(scratch, Frames.Version, Frames.Capabilities);
        Link.Send(scratch.WrittenSpan);
    }

    /// <summary>Tells the client of a new stream.</summary>
    public void Open(scoped in StreamOpening opening)
    {
        var scratch = FrameLink.Scratch();
        FrameWriter.WriteStreamOpen(scratch, opening);
        Link.Send(scratch.WrittenSpan);
    }

    /// <summary>Takes a stream in, unless there are too many.</summary>
    public bool TryAdd(VisitorStream stream)
    {
        if (_streams.Count >= Math.Min(Frames.StreamsMax, Account.Quota.Streams) || Link.Ended.IsCancellationRequested) return false;
        _streams[stream.Id] = stream;
        return true;
    }

    /// <summary>The visitor has been served, to the last byte.</summary>
    public void Forget(VisitorStream stream) => _streams.TryRemove(new KeyValuePair<long, VisitorStream>(stream.Id, stream));

    public override Task ServeAsync(IngressRequest request, TunnelBinding binding) => request.IsWebSocket
        ? new WebSocketVisitor(this, binding, request).RunAsync()
        : new HttpVisitor(this, binding, request).RunAsync();

    public override Task ServeAsync(TcpVisit visit, TunnelBinding binding) => new TcpVisitor(this, binding, visit).RunAsync();

    public override void OnEnded()
    {
        foreach (var (_, stream) in _streams)
        {
            if (!stream.IsEnded) stream.OnReset("the client's connection was lost");
        }
    }

    public override void Tick()
    {
        foreach (var (_, stream) in _streams) stream.Tick();
        if (Link.IsStuck || Link.Silence > Limits.SilenceMax) Link.Abort("no sign of life");
        if (Time.GetElapsedTime(_lastHeartbeat) < Limits.HeartbeatPeriod) return;
        _lastHeartbeat = Time.GetTimestamp();
        var scratch = FrameLink.Scratch();
        FrameWriter.WriteHeartbeat(scratch);
        Link.Send(scratch.WrittenSpan);
    }

    public override void BeginDrain(TimeSpan left)
    {
        base.BeginDrain(left);
        if (!Frames.Has(Capabilities.Drain)) return;
        var scratch = FrameLink.Scratch();
        FrameWriter.WriteError(scratch, ErrorCodes.Drain, Math.Ceiling(left.TotalSeconds).ToString("0", System.Globalization.CultureInfo.InvariantCulture));
        Link.Send(scratch.WrittenSpan);
    }

    void ILinkReceiver.OnMessage(ReadOnlySpan<byte> message)
    {
        try
        {
            Dispatch(FrameReader.Read(message));
        }
        catch (TunnelProtocolException exception)
        {
            LogSkipped(Context.Logger, Id, exception.Message);
        }
    }

    ValueTask ILinkReceiver.OnBatchEndAsync()
    {
        foreach (var stream in _touched)
        {
            stream.IsTouched = false;
            stream.OnBatchEnd();
        }
        _touched.Clear();
        Link.Flush();
        if (_wanted.Count > 0) return new ValueTask(GrantAsync());
        return Frames.Has(Capabilities.Windows) || Waiting() <= Limits.SessionBufferBytes ? ValueTask.CompletedTask : new ValueTask(WaitForVisitorsAsync());
    }

    private void Dispatch(in FrameView frame)
    {
        switch (frame.Kind)
        {
            case FrameKind.StreamData:
                if (Find(frame.StreamId) is not { } stream) break;
                stream.OnData(frame);
                Touch(stream);
                break;
            case FrameKind.StreamClose:
                if (Find(frame.StreamId) is not { } closed) break;
                closed.OnClose(frame.CloseCode, FrameView.Text(frame.Reason));
                Touch(closed);
                break;
            case FrameKind.StreamReset:
                Find(frame.StreamId)?.OnReset(FrameView.Text(frame.Reason));
                break;
            case FrameKind.TunnelCreate:
                if (_wanted.Count >= RequestsWaitingMax) throw new TunnelProtocolException(TunnelProtocolError.TooLarge, "too many TunnelCreate at once");
                _wanted.Enqueue(new TunnelRequest(
                    FrameView.Text(frame.Protocol), Optional(frame.Subdomain), frame.HasPath ? FrameView.Text(frame.Path) : null,
                    frame.RemotePort > 0 ? frame.RemotePort : null, Optional(frame.Hostname), Optional(frame.Auth)));
                break;
            case FrameKind.StreamOpen:
                Frames.EnqueueReset(frame.StreamId, "peer-initiated streams not accepted");
                if (long.IsPow2(++_refusedOpens)) LogStreamRefused(Context.Logger, Id, _refusedOpens);
                break;
        }
    }

    private VisitorStream? Find(long id) => _streams.TryGetValue(id, out var stream) && !stream.IsEnded ? stream : null;

    private static string? Optional(ReadOnlySpan<byte> utf8) => utf8.IsEmpty ? null : FrameView.Text(utf8);

    private void Touch(VisitorStream stream)
    {
        if (stream.IsTouched) return;
        stream.IsTouched = true;
        _touched.Add(stream);
    }

    private async Task GrantAsync()
    {
        while (_wanted.TryDequeue(out var wanted))
        {
            var answer = await Context.Names.GrantAsync(this, wanted);
            var scratch = FrameLink.Scratch();
            if (answer.Grant is { } grant) FrameWriter.WriteTunnelCreated(scratch, grant);
            else FrameWriter.WriteError(scratch, answer.Code, answer.Message);
            Link.Send(scratch.WrittenSpan);
            if (answer.Grant is null && long.IsPow2(++_refusedTunnels)) LogRefused(Context.Logger, Id, answer.Code, answer.Message, _refusedTunnels);
        }
    }

    private int Waiting()
    {
        var sum = 0;
        foreach (var (_, stream) in _streams) sum += stream.Waiting;
        return sum;
    }

    // Without windows the whole connection waits for its slowest visitors, as the peers of versions 1 and 2 expect.
    private async Task WaitForVisitorsAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10), Time);
        while (Waiting() > Limits.SessionBufferBytes / 4 && !Link.Ended.IsCancellationRequested) await timer.WaitForNextTickAsync();
    }

    [LoggerMessage(6000, LogLevel.Debug, "session {Session}: skipped a frame: {Why}")]
    private static partial void LogSkipped(ILogger logger, string session, string why);

    [LoggerMessage(6001, LogLevel.Warning, "session {Session}: the client opened a stream, which only the server may ({Count} so far)")]
    private static partial void LogStreamRefused(ILogger logger, string session, long count);

    [LoggerMessage(6002, LogLevel.Information, "session {Session}: tunnel refused: {Code} {Message} ({Count} so far)")]
    private static partial void LogRefused(ILogger logger, string session, string code, string message, long count);
}
