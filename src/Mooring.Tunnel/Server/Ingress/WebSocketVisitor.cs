using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Protocol.WebSocket;
using Mooring.Tunnel.Server.Accounts;
using Mooring.Tunnel.Server.Sessions;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>A visitor's WebSocket. The visitor is told 101 only after the application has said so.</summary>
internal sealed class WebSocketVisitor : RequestVisitor
{
    private readonly WebSocketRelay _relay;
    private readonly TaskCompletionSource<Verdict> _verdict = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Stream? _stream;

    public WebSocketVisitor(StreamSession session, TunnelBinding binding, IngressRequest request)
        : base(session, binding, request) =>
        _relay = new WebSocketRelay(Frames, Id, Credit, Window, isClientOfPeer: false) { Counted = Count, Cut = request.Abort };

    public override int Waiting => _relay.Waiting;

    protected override async Task ServeAsync()
    {
        Open(StreamMode.WebSocket);
        // Version 1 has no answer: silence is consent, a reset is refusal.
        if (Frames.Version == ProtocolVersion.One) _verdict.TrySetResult(new Verdict(101, "", "", []));
        using var gone = Request.Features.GetRequiredFeature<IHttpRequestLifetimeFeature>().RequestAborted
            .UnsafeRegister(static visitor => ((WebSocketVisitor)visitor!).GiveUp("the visitor is gone"), this);
        var verdict = await _verdict.Task;
        if (verdict.Status != 101)
        {
            TryEnd();
            await RefuseAsync(verdict);
            return;
        }
        await using var stream = await AcceptAsync(verdict.Subprotocol);
        Volatile.Write(ref _stream, stream);
        var ending = await _relay.RunAsync(stream, ReadOnlyMemory<byte>.Empty);
        if (!TryEnd()) return;
        if (ending is { } closed) Frames.EnqueueClose(Id, closed.Code == 1005 ? 0 : closed.Code, closed.Reason.Length > 0 ? closed.Reason : null);
        else Frames.EnqueueReset(Id, "the visitor is gone");
        Frames.Link.Flush();
    }

    public override void OnData(in FrameView frame)
    {
        Touch();
        if (frame.Credit > 0) Credit?.Add(frame.Credit);
        if (!_verdict.Task.IsCompleted)
        {
            if (!frame.Bytes.IsEmpty) OnVerdict(frame.Bytes);
            return;
        }
        if (frame.Bytes.IsEmpty && frame.DataKind == DataKind.Bytes) return;
        var taken = Binding.TakeOut(frame.Bytes.Length);
        Request.BytesOut += taken;
        if (taken < frame.Bytes.Length) CutForTheDay();
        else if (!_relay.OnData(frame)) GiveUp("the visitor reads too slowly");
    }

    public override void OnBatchEnd() => _relay.Kick();

    public override void OnClose(int code, string reason)
    {
        if (!TryEnd()) return;
        if (!_verdict.TrySetResult(new Verdict(502, "", "the client closed the stream without an answer", [])))
            _relay.OnClose(code == 0 ? CloseCodes.Normal : code, reason);
    }

    public override void OnReset(string reason)
    {
        if (!TryEnd()) return;
        if (!_verdict.TrySetResult(new Verdict(502, "", reason, []))) _relay.OnClose(CloseCodes.InternalError, reason);
    }

    public override void Tick()
    {
        if (!_verdict.Task.IsCompleted && IsIdleFor(Session.Limits.FirstByteTimeout)) GiveUp("the application did not answer in time");
        else if (IsIdleFor(Session.Limits.ConnectionIdleTimeout)) GiveUp("nothing was said for too long");
    }

    private void GiveUp(string reason)
    {
        TryReset(reason);
        if (_verdict.TrySetResult(new Verdict(504, "", reason, []))) return;
        _relay.OnClose(CloseCodes.InternalError, reason);
        Volatile.Read(ref _stream)?.Dispose();
    }

    private void OnVerdict(ReadOnlySpan<byte> bytes)
    {
        Consumed(bytes.Length);
        var head = ResponseHead.Read(bytes);
        var fields = new List<KeyValuePair<string, string>>();
        var reader = new HeaderReader(head.Headers);
        while (reader.Read()) fields.Add(new(FrameView.Text(reader.Name), FrameView.Text(reader.Value)));
        _verdict.TrySetResult(new Verdict(head.Status, FrameView.Text(head.Subprotocol), FrameView.Text(head.Reason), fields));
    }

    private async Task<Stream> AcceptAsync(string subprotocol)
    {
        var headers = Request.Response.Headers;
        if (subprotocol.Length > 0) headers.SecWebSocketProtocol = subprotocol;
        if (Request.ExtendedConnect is { } connect)
        {
            Request.Response.StatusCode = 200;
            return await connect.AcceptAsync();
        }
        headers.Connection = "Upgrade";
        headers.Upgrade = "websocket";
        headers.SecWebSocketAccept = WebSocketFraming.Accept(Request.Request.Headers.SecWebSocketKey.ToString());
        return await Request.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
    }

    private async Task RefuseAsync(Verdict verdict)
    {
        if (verdict.Fields.Count == 0)
        {
            await ErrorPages.WriteAsync(Request, verdict.Status is < 400 or > 599 ? 502 : verdict.Status, verdict.Reason);
            return;
        }
        Request.Response.StatusCode = verdict.Status;
        foreach (var (name, value) in verdict.Fields) Request.Response.Headers.Append(name, value);
        Request.Response.Headers.ContentLength = 0;
    }

    // What goes to the visitor is counted when it comes.
    private void Count(int fromVisitor, int toVisitor)
    {
        Touch();
        var taken = Binding.TakeIn(fromVisitor);
        Request.BytesIn += taken;
        if (taken < fromVisitor) CutForTheDay();
    }

    // The visitor is told in a close frame, for which there is still time.
    private void CutForTheDay()
    {
        if (TryReset(AccountUsage.CutForTheDay)) _relay.OnClose(CloseCodes.Policy, AccountUsage.DayIsOver);
    }

    private sealed record Verdict(int Status, string Subprotocol, string Reason, IReadOnlyList<KeyValuePair<string, string>> Fields);
}
