using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.GenerationA;
using Mooring.Tunnel.Protocol.GenerationB;

namespace Mooring.Tunnel.Client.Legacy;

/// <summary>One control connection of generation A, from the login to its end, and the proxy connections that the server asks for.</summary>
internal sealed partial class LegacyClientSession(
    WebSocketLink link, IReadOnlyList<ClientTunnel> tunnels, ControlAddress server, Func<CancellationToken, Task<Stream>> dialProxy, TimeProvider time, ILogger logger)
    : ILinkReceiver
{
    internal static readonly TimeSpan PingPeriod = TimeSpan.FromSeconds(20);
    internal static readonly TimeSpan PongMax = TimeSpan.FromSeconds(30);
    internal static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(45);
    internal static readonly TimeSpan HeartbeatPeriod = TimeSpan.FromSeconds(30);

    /// <summary>A visitor waits for the proxy connection that is dialled.</summary>
    internal static readonly TimeSpan ProxyDialTimeout = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan s_stepTimeout = TimeSpan.FromSeconds(10);

    /// <summary>The login of old services takes up to 16 s.</summary>
    private static readonly TimeSpan s_loginTimeout = TimeSpan.FromSeconds(30);

    private const int RepliesMax = 64;
    private const int ProxiesMax = 49;

    private readonly Channel<ControlMessage> _replies = Channel.CreateBounded<ControlMessage>(
        new BoundedChannelOptions(RepliesMax) { FullMode = BoundedChannelFullMode.DropOldest });

    private readonly ConcurrentDictionary<string, ClientTunnel> _byUrl = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _ended = new();
    private string _clientId = Identifier.NextClient();
    private long _lastPong = time.GetTimestamp();
    private int _proxies;
    private Asked? _asked;

    /// <summary>The id that the server gave last; sent again after a reconnection.</summary>
    public string ClientId => _clientId;

    public async Task<LinkEnding> RunAsync()
    {
        var ending = await link.RunAsync(this);
        _replies.Writer.TryComplete();
        await _ended.CancelAsync();
        return ending;
    }

    /// <summary>Logs in and creates every tunnel.</summary>
    /// <exception cref="TunnelException">The server refused.</exception>
    public async Task HandshakeAsync(string token, string? formerId, CancellationToken cancellationToken)
    {
        if (formerId is not null) _clientId = formerId;
        Send(new ControlMessage.Auth(
            _clientId, "linux", RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "x86_64", "2.3.40", "2.3", token, ""));
        var answer = await NextAsync<ControlMessage.AuthResp>(s_loginTimeout, cancellationToken);
        if (answer.Error is { Length: > 0 } error)
            throw new TunnelException(error, error.Contains("Invalid auth token", StringComparison.Ordinal) ? ErrorCodes.Unauthorized : "REFUSED", TunnelOutcome.Terminal);
        if (answer.ClientId is { Length: > 0 } given) _clientId = given;
        foreach (var tunnel in tunnels) await AskAsync(tunnel, cancellationToken);
    }

    /// <summary>Signs of life, until the connection ends.</summary>
    public async Task KeepAliveAsync(Task reading, CancellationToken stopping)
    {
        _lastPong = time.GetTimestamp();
        var lastHeartbeat = time.GetTimestamp();
        var lastPing = time.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(5), time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping, link.Ended);
        try
        {
            while (await timer.WaitForNextTickAsync(stop.Token))
            {
                if (link.Silence > SilenceMax || time.GetElapsedTime(Volatile.Read(ref _lastPong)) > PingPeriod + PongMax) link.Abort("the server does not answer");
                if (time.GetElapsedTime(lastPing) >= PingPeriod)
                {
                    lastPing = time.GetTimestamp();
                    Send(new ControlMessage.Ping());
                }
                if (time.GetElapsedTime(lastHeartbeat) < HeartbeatPeriod) continue;
                lastHeartbeat = time.GetTimestamp();
                foreach (var tunnel in tunnels)
                {
                    if (tunnel is { Definition.Protocol: TunnelProtocol.Http, Grant.Subdomain: { Length: > 0 } name })
                        Send(new ControlMessage.Heartbeat(name, time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0));
                }
            }
        }
        catch (OperationCanceledException)
        {
            if (!stopping.IsCancellationRequested) await reading;
        }
    }

    void ILinkReceiver.OnMessage(ReadOnlySpan<byte> message)
    {
        try
        {
            switch (ControlCodec.Read(message))
            {
                case ControlMessage.Ping:
                    Send(new ControlMessage.Pong());
                    break;
                case ControlMessage.Pong:
                    Volatile.Write(ref _lastPong, time.GetTimestamp());
                    break;
                case ControlMessage.ReqProxy:
                    if (Volatile.Read(ref _proxies) < ProxiesMax) _ = ProxyAsync();
                    break;
                case ControlMessage.NewTunnel { Error: null or "" } granted when _asked is { } asked && granted.ReqId == asked.Id:
                    // Here and now: the first visitor may already be on a proxy connection.
                    Granted(asked, granted);
                    _replies.Writer.TryWrite(granted);
                    break;
                case { } other:
                    _replies.Writer.TryWrite(other);
                    break;
            }
        }
        catch (TunnelProtocolException exception)
        {
            LogSkipped(logger, exception.Message);
        }
    }

    ValueTask ILinkReceiver.OnBatchEndAsync()
    {
        link.Flush();
        return ValueTask.CompletedTask;
    }

    private void Granted(Asked asked, ControlMessage.NewTunnel granted)
    {
        var url = granted.Url ?? "";
        _byUrl[url] = asked.Tunnel;
        asked.Tunnel.Granted(new TunnelGrant(
            server.PublicUrl(url, granted.Subdomain), granted.TunnelId is { Length: > 0 } own ? own : granted.Subdomain ?? "", RemotePort: PortOf(url),
            IsAuthEnforced: asked.HasAuth));
    }

    /// <summary>By the address that the server gave, then by the host's first label; never by a part of it.</summary>
    public ClientTunnel? Find(string url)
    {
        if (_byUrl.TryGetValue(url, out var given)) return given;
        var label = Uri.TryCreate(url, UriKind.Absolute, out var uri) ? uri.Host.Split('.')[0] : "";
        return tunnels.FirstOrDefault(tunnel => label.Length > 0 && tunnel.Grant?.Subdomain == label);
    }

    private async Task AskAsync(ClientTunnel tunnel, CancellationToken cancellationToken)
    {
        var asked = tunnel.Ask();
        var id = Identifier.NextRequest();
        _asked = new Asked(id, tunnel, asked.Auth is not null);
        Send(new ControlMessage.ReqTunnel(id, asked.Protocol, asked.Hostname ?? "", asked.Subdomain ?? "", asked.Auth ?? "", asked.RemotePort ?? 0));
        while (true)
        {
            switch (await NextAsync<ControlMessage>(s_stepTimeout, cancellationToken))
            {
                case ControlMessage.NewTunnel { Error: { Length: > 0 } error } refused when refused.ReqId == id:
                    throw new TunnelException(error, "TUNNEL_FAILED", TunnelOutcome.Refused);
                case ControlMessage.NewTunnel granted when granted.ReqId == id:
                    return;
                case ControlMessage.ErrorResp error when error.ReqId == id:
                    throw new TunnelException(Explain(error), error.Code ?? "", ClientReply.OutcomeOf(error.Code ?? ""));
            }
        }
    }

    private static string Explain(ControlMessage.ErrorResp error) => error.Code switch
    {
        "OVER_CAPACITY" => "the server has no name left; try again later [OVER_CAPACITY]",
        "FREE_TIER_LIMIT_REACHED" => "the account has all the tunnels that it may have [FREE_TIER_LIMIT_REACHED]",
        var code => $"{error.Message} [{code}]",
    };

    private static int? PortOf(string? url) =>
        url is not null && url.StartsWith("tcp://", StringComparison.Ordinal) && int.TryParse(url.AsSpan(url.LastIndexOf(':') + 1), NumberStyles.Integer, CultureInfo.InvariantCulture, out var port) ? port : null;

    private async Task<T> NextAsync<T>(TimeSpan limit, CancellationToken cancellationToken)
        where T : ControlMessage
    {
        try
        {
            while (true)
            {
                if (await _replies.Reader.ReadAsync(cancellationToken).AsTask().WaitAsync(limit, time, cancellationToken) is T wanted) return wanted;
            }
        }
        catch (TimeoutException exception)
        {
            throw new TunnelException("the server did not answer in time", "", TunnelOutcome.Unreachable, exception);
        }
        catch (ChannelClosedException exception)
        {
            throw new TunnelException("the server closed the connection", "", TunnelOutcome.Unreachable, exception);
        }
    }

    private async Task ProxyAsync()
    {
        Interlocked.Increment(ref _proxies);
        try
        {
            await using var stream = await DialAsync();
            using var proxy = new WebSocketLink(stream, isClient: true, new LinkLimits(), time);
            using var stop = _ended.Token.UnsafeRegister(static p => ((WebSocketLink)p!).Abort("closed"), proxy);
            await new LegacyClientProxy(this, proxy, time).RunAsync();
        }
        catch (Exception exception) when (exception is TunnelException or OperationCanceledException or IOException or SocketException)
        {
            LogProxyFailed(logger, exception.Message);
        }
        finally
        {
            Interlocked.Decrement(ref _proxies);
        }
    }

    private async Task<Stream> DialAsync()
    {
        using var limit = new CancellationTokenSource(ProxyDialTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(_ended.Token, limit.Token);
        return await dialProxy(both.Token);
    }

    private void Send(ControlMessage message)
    {
        var output = new ArrayBufferWriter<byte>(256);
        ControlCodec.Write(output, message);
        link.Send(output.WrittenSpan);
    }

    private sealed record Asked(string Id, ClientTunnel Tunnel, bool HasAuth);

    [LoggerMessage(6520, LogLevel.Warning, "skipped a message of the server: {Why}")]
    private static partial void LogSkipped(ILogger logger, string why);

    [LoggerMessage(6521, LogLevel.Debug, "no proxy connection: {Why}")]
    private static partial void LogProxyFailed(ILogger logger, string why);
}
