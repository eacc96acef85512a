using System.Buffers;
using Microsoft.Extensions.Logging;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.GenerationA;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Server.Accounts;
using Mooring.Tunnel.Server.Ingress;
using Mooring.Tunnel.Server.Names;

namespace Mooring.Tunnel.Server.Sessions;

/// <summary>
/// A client of generation A: a control connection, and a proxy connection for each request at a time, which only the client can open. A
/// spare one is asked for ahead, so that a visitor does not wait for the dial.
/// </summary>
internal sealed partial class LegacySession(string id, Account account, WebSocketLink link, string remote, SessionContext context)
    : ServerSession(id, account, link, remote, context), ILinkReceiver
{
    /// <summary>The client's HTTP library has 50 connections for a host; one is the control connection.</summary>
    internal const int ProxiesMax = 49;

    /// <summary>Idle proxy connections that are kept.</summary>
    internal const int IdleMax = 10;

    private const int RequestsWaitingMax = 64;

    /// <summary>An idle proxy connection above this age is closed: NATs forget it.</summary>
    internal static readonly TimeSpan IdleAge = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly LinkedList<LegacyProxy> _idle = new();
    private readonly LinkedList<Waiter> _waiting = new();
    private readonly Queue<ControlMessage.ReqTunnel> _wanted = new();
    private int _proxies;
    private int _asked;
    private int _busy;

    public override string Generation => "A";

    public override int StreamCount => Volatile.Read(ref _busy);

    public override async Task ServeAsync(IngressRequest request, TunnelBinding binding)
    {
        if (request.IsWebSocket)
        {
            await ErrorPages.WriteAsync(request, 501, "this tunnel's client is of a generation that has no WebSockets");
            return;
        }
        Interlocked.Increment(ref _busy);
        try
        {
            await new LegacyHttpVisitor(this, binding, request).RunAsync();
        }
        finally
        {
            Interlocked.Decrement(ref _busy);
        }
    }

    public override async Task ServeAsync(TcpVisit visit, TunnelBinding binding)
    {
        Interlocked.Increment(ref _busy);
        try
        {
            await new LegacyTcpVisitor(this, binding, visit).RunAsync();
        }
        finally
        {
            Interlocked.Decrement(ref _busy);
        }
    }

    /// <summary>A proxy connection for a tunnel: an idle one, else a new one of the client; null when none comes in time.</summary>
    public async Task<LegacyProxy?> TakeAsync(TunnelBinding binding, bool fresh)
    {
        Waiter waiter;
        lock (_gate)
        {
            for (var node = _idle.Last; node is not null; node = node.Previous)
            {
                if (node.Value.IsEnded || !Suits(node.Value, binding, fresh)) continue;
                _idle.Remove(node);
                AskAhead();
                return node.Value;
            }
            if (_waiting.Count >= WireLimits.StreamsMax) return null;
            waiter = new Waiter(binding, fresh);
            _waiting.AddLast(waiter);
            if (_proxies + _asked < ProxiesMax) Ask();
        }
        try
        {
            return await waiter.Given.Task.WaitAsync(Context.Options.Limits.FirstByteTimeout, Context.Time, Link.Ended);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            lock (_gate) _waiting.Remove(waiter);
            return waiter.Given.TrySetResult(null) ? null : await waiter.Given.Task;
        }
    }

    /// <summary>A proxy connection that a request has done with, or a new one.</summary>
    public void Give(LegacyProxy proxy, bool isNew)
    {
        lock (_gate)
        {
            if (isNew)
            {
                _proxies++;
                _asked = Math.Max(0, _asked - 1);
            }
            for (var node = _waiting.First; node is not null && !proxy.IsEnded; node = node.Next)
            {
                if (!Suits(proxy, node.Value.Binding, node.Value.IsFresh)) continue;
                _waiting.Remove(node);
                node.Value.Given.TrySetResult(proxy);
                return;
            }
            if (!proxy.IsEnded && _idle.Count < IdleMax && !Link.Ended.IsCancellationRequested)
            {
                _idle.AddLast(proxy);
                return;
            }
        }
        proxy.Close("not needed");
    }

    /// <summary>A proxy connection has ended.</summary>
    public void Forget(LegacyProxy proxy)
    {
        lock (_gate)
        {
            _idle.Remove(proxy);
            _proxies--;
            if (_waiting.Count > 0 && _proxies + _asked < ProxiesMax) Ask();
        }
    }

    public void AskForProxy()
    {
        lock (_gate) Ask();
    }

    public override void Tick()
    {
        if (Link.IsStuck || Link.Silence > Context.Options.Limits.SilenceMax) Link.Abort("no sign of life");
        List<LegacyProxy>? old = null;
        lock (_gate)
        {
            // The spare one stays: without it the next visitor would wait for a dial.
            while (_idle.First is { Value: var first } && _idle.Count > 1 && first.IdleTime > IdleAge)
            {
                _idle.RemoveFirst();
                (old ??= []).Add(first);
            }
        }
        if (old is null) return;
        foreach (var proxy in old) proxy.Close("idle");
    }

    public override void OnEnded()
    {
        lock (_gate)
        {
            foreach (var waiter in _waiting) waiter.Given.TrySetResult(null);
            _waiting.Clear();
            foreach (var proxy in _idle.ToList()) proxy.Close("the control connection ended");
            _idle.Clear();
        }
    }

    void ILinkReceiver.OnMessage(ReadOnlySpan<byte> message)
    {
        try
        {
            switch (ControlCodec.Read(message))
            {
                case ControlMessage.Ping:
                    Queue(new ControlMessage.Pong());
                    break;
                case ControlMessage.ReqTunnel wanted:
                    if (_wanted.Count >= RequestsWaitingMax) throw new TunnelProtocolException(TunnelProtocolError.TooLarge, "too many ReqTunnel at once");
                    _wanted.Enqueue(wanted);
                    break;
            }
        }
        catch (TunnelProtocolException exception)
        {
            LogSkipped(Context.Logger, Id, exception.Message);
        }
    }

    ValueTask ILinkReceiver.OnBatchEndAsync()
    {
        Link.Flush();
        return _wanted.Count == 0 ? ValueTask.CompletedTask : new ValueTask(GrantAsync());
    }

    private async Task GrantAsync()
    {
        while (_wanted.TryDequeue(out var wanted))
        {
            var answer = await Context.Names.GrantAsync(this, new TunnelRequest(
                wanted.Protocol is null or "https" ? "http" : wanted.Protocol,
                Optional(wanted.Subdomain), null, wanted.RemotePort > 0 ? wanted.RemotePort : null, Optional(wanted.Hostname), Optional(wanted.HttpAuth)));
            if (answer is { Grant: { } grant, Binding: { } binding })
                Queue(new ControlMessage.NewTunnel(wanted.ReqId, grant.Url, binding.Protocol, grant.Subdomain, null, null));
            else Queue(new ControlMessage.ErrorResp(wanted.ReqId, LegacyCode(answer), answer.Message));
            Link.Flush();
        }
    }

    /// <summary>The two codes that these clients have words for.</summary>
    private static string LegacyCode(GrantAnswer answer) => answer.Code switch
    {
        ErrorCodes.PoolExhausted => "OVER_CAPACITY",
        ErrorCodes.QuotaTunnels or ErrorCodes.QuotaBytes => "FREE_TIER_LIMIT_REACHED",
        var other => other,
    };

    private static string? Optional(string? text) => string.IsNullOrEmpty(text) ? null : text;

    // One that was bound to a tunnel stays with it; TCP needs one that nothing was sent on.
    private static bool Suits(LegacyProxy proxy, TunnelBinding binding, bool fresh) =>
        proxy.Binding is null || (!fresh && proxy.Binding == binding);

    // Under the gate.
    private void AskAhead()
    {
        if (_idle.Count == 0 && _asked == 0 && _proxies < ProxiesMax) Ask();
    }

    private void Ask()
    {
        _asked++;
        Queue(new ControlMessage.ReqProxy());
        Link.Flush();
    }

    private void Queue(ControlMessage message)
    {
        var output = new ArrayBufferWriter<byte>(128);
        ControlCodec.Write(output, message);
        Link.Enqueue(output.WrittenSpan);
    }

    [LoggerMessage(6030, LogLevel.Debug, "session {Session}: skipped a message: {Why}")]
    private static partial void LogSkipped(ILogger logger, string session, string why);

    /// <summary>A visitor who waits for a proxy connection.</summary>
    private sealed record Waiter(TunnelBinding Binding, bool IsFresh)
    {
        public TaskCompletionSource<LegacyProxy?> Given { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
