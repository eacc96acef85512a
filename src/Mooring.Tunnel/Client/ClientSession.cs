using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Mooring.Tunnel.Client.Streams;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.GenerationB;

namespace Mooring.Tunnel.Client;

/// <summary>One connection of generation B to the server, from the handshake to its end. A new connection is a new object.</summary>
internal sealed partial class ClientSession : ILinkReceiver
{
    /// <summary>Limit of each step of the handshake.</summary>
    internal static readonly TimeSpan StepTimeout = TimeSpan.FromSeconds(20);

    /// <summary>Code of the failure that says that the server is older than this generation.</summary>
    internal const string GenerationA = "GENERATION_A";

    private readonly WebSocketLink _link;
    private readonly IReadOnlyList<ClientTunnel> _tunnels;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<long, ClientStream> _streams = new();
    private long _cutForQuota;
    private readonly List<ClientStream> _touched = [];
    private TaskCompletionSource<ClientReply>? _reply;
    private ClientTunnel? _asking;

    public ClientSession(WebSocketLink link, IReadOnlyList<ClientTunnel> tunnels, TimeProvider time, ILogger logger)
    {
        _link = link;
        _tunnels = tunnels;
        _time = time;
        _logger = logger;
        Frames = new FrameLink(link);
    }

    public FrameLink Frames { get; }

    public TimeProvider Time => _time;

    public int StreamCount => _streams.Count;

    /// <summary>The server announced its end: seconds left.</summary>
    public bool IsDraining { get; private set; }

    /// <summary>Reads until the connection ends; streams that are open then are cut off.</summary>
    public async Task<LinkEnding> RunAsync()
    {
        var ending = await _link.RunAsync(this);
        Interlocked.Exchange(ref _reply, null)?.TrySetException(Lost(ending));
        foreach (var (_, stream) in _streams) stream.OnReset("the connection to the server was lost");
        return ending;
    }

    /// <summary>Authenticates and creates every tunnel. <see cref="RunAsync"/> must be under way.</summary>
    /// <exception cref="TunnelException">The server refused.</exception>
    public async Task HandshakeAsync(string token, Capabilities capabilities, int version, CancellationToken cancellationToken)
    {
        var welcome = await AskAsync(output => FrameWriter.WriteAuth(output, token, version, capabilities), cancellationToken);
        if (welcome.Kind != FrameKind.HeartbeatAck) throw Unexpected(welcome);
        var agreed = ProtocolVersion.Agree(version, welcome.Version);
        Frames.Agree(agreed, ProtocolVersion.Agree(agreed, capabilities, welcome.Capabilities));
        foreach (var tunnel in _tunnels)
        {
            var asked = tunnel.Ask();
            Volatile.Write(ref _asking, tunnel);
            var created = await AskAsync(output => FrameWriter.WriteTunnelCreate(output, asked), cancellationToken);
            if (created.Grant is not { } grant) throw Unexpected(created);
            // An older server does not know the field and silently gives another name.
            if (asked.Hostname is { } hostname && !(Uri.TryCreate(grant.Url, UriKind.Absolute, out var url) && url.Host.Equals(hostname, StringComparison.OrdinalIgnoreCase)))
                throw new TunnelException($"the server does not serve host names of one's own: {grant.Url} came instead of {hostname} [{ErrorCodes.HostnameIgnored}]", ErrorCodes.HostnameIgnored, TunnelOutcome.Terminal);
        }
        Volatile.Write(ref _asking, null);
    }

    void ILinkReceiver.OnMessage(ReadOnlySpan<byte> message)
    {
        try
        {
            Dispatch(FrameReader.Read(message));
        }
        catch (TunnelProtocolException exception)
        {
            if (_reply is { } waiting && message.Length > 8 && message[0] == 0)
                waiting.TrySetException(new TunnelException("the server speaks generation A", GenerationA, TunnelOutcome.Unreachable));
            // A newer server may send what this client does not know.
            LogSkipped(_logger, exception.Message);
        }
    }

    ValueTask ILinkReceiver.OnBatchEndAsync()
    {
        foreach (var stream in _touched) stream.OnBatchEnd();
        _touched.Clear();
        _link.Flush();
        return ValueTask.CompletedTask;
    }

    public void Forget(ClientStream stream) => _streams.TryRemove(new KeyValuePair<long, ClientStream>(stream.Id, stream));

    private void Dispatch(in FrameView frame)
    {
        switch (frame.Kind)
        {
            case FrameKind.StreamData:
                if (!_streams.TryGetValue(frame.StreamId, out var target)) break;
                target.OnData(frame);
                Touch(target);
                break;
            case FrameKind.StreamOpen:
                Open(frame);
                break;
            case FrameKind.StreamClose:
                if (!_streams.TryGetValue(frame.StreamId, out var closed)) break;
                closed.OnClose(frame);
                Touch(closed);
                break;
            case FrameKind.StreamReset:
                if (!_streams.TryGetValue(frame.StreamId, out var reset)) break;
                var reason = FrameView.Text(frame.Reason);
                reset.OnReset(reason);
                if (reason.StartsWith("QUOTA_", StringComparison.Ordinal) && long.IsPow2(++_cutForQuota)) LogCut(_logger, reason, _cutForQuota);
                break;
            case FrameKind.Heartbeat:
                var scratch = FrameLink.Scratch();
                FrameWriter.WriteHeartbeatAck(scratch);
                _link.Enqueue(scratch.WrittenSpan);
                break;
            case FrameKind.Error when frame.Code.SequenceEqual("DRAIN"u8):
                IsDraining = true;
                LogDraining(_logger, FrameView.Text(frame.Message));
                break;
            case FrameKind.HeartbeatAck or FrameKind.TunnelCreated or FrameKind.Error:
                var reply = ClientReply.Of(frame);
                // Here and now: the next frame may be the first visitor's.
                if (reply.Grant is { } grant) Volatile.Read(ref _asking)?.Granted(grant);
                Interlocked.Exchange(ref _reply, null)?.TrySetResult(reply);
                break;
        }
    }

    private void Touch(ClientStream stream)
    {
        if (_touched.Count == 0 || _touched[^1] != stream) _touched.Add(stream);
    }

    private void Open(in FrameView frame)
    {
        if (!TryFind(frame.TunnelId, out var tunnel))
        {
            Frames.EnqueueReset(frame.StreamId, "no such tunnel");
            return;
        }
        if (_streams.Count >= Frames.StreamsMax)
        {
            Frames.EnqueueReset(frame.StreamId, $"more than {Frames.StreamsMax} streams");
            return;
        }
        ClientStream stream = frame.Mode switch
        {
            StreamMode.Tcp => new TcpExchange(this, tunnel, frame),
            StreamMode.WebSocket => new WebSocketExchange(this, tunnel, frame),
            _ when tunnel.Definition.IsHttp2 || IsGrpc(frame) => new Http2Exchange(this, tunnel, frame),
            _ => new HttpExchange(this, tunnel, frame),
        };
        _streams[frame.StreamId] = stream;
        stream.Start();
    }

    private bool TryFind(ReadOnlySpan<byte> id, [NotNullWhen(true)] out ClientTunnel? found)
    {
        found = null;
        foreach (var tunnel in _tunnels)
        {
            if (tunnel.Grant is not { } grant || !Equal(id, grant.Subdomain) && !(grant.Path is { Length: > 0 } path && Equal(id, path))) continue;
            found = tunnel;
            return true;
        }
        return false;
    }

    /// <summary>gRPC is HTTP/2 only, so who asks for it means an application that speaks it.</summary>
    private static bool IsGrpc(in FrameView frame)
    {
        var headers = new HeaderReader(frame.Headers);
        while (headers.Read())
        {
            if (headers.Is("content-type"u8)) return headers.Value.StartsWith("application/grpc"u8) && !headers.Value.StartsWith("application/grpc-web"u8);
        }
        return false;
    }

    private static bool Equal(ReadOnlySpan<byte> utf8, string text) => System.Text.Ascii.Equals(utf8, text);

    private async Task<ClientReply> AskAsync(Action<System.Buffers.IBufferWriter<byte>> write, CancellationToken cancellationToken)
    {
        var reply = new TaskCompletionSource<ClientReply>(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.Exchange(ref _reply, reply);
        var scratch = FrameLink.Scratch();
        write(scratch);
        _link.Send(scratch.WrittenSpan);
        if (_link.Ended.IsCancellationRequested) throw Lost(LinkEnding.Lost("the connection was closed"));
        try
        {
            var answer = await reply.Task.WaitAsync(StepTimeout, _time, cancellationToken);
            return answer.Kind == FrameKind.Error ? throw answer.ToException() : answer;
        }
        catch (TimeoutException exception)
        {
            throw new TunnelException("the server did not answer in time", "", TunnelOutcome.Unreachable, exception);
        }
    }

    private static TunnelException Lost(LinkEnding ending) =>
        ending is { IsByPeer: true, Code: CloseCodes.Normal }
        ? new("the server closed the connection without an answer", GenerationA, TunnelOutcome.Unreachable)
        : new($"the server closed the connection{(ending.Reason.Length > 0 ? $": {ending.Reason}" : "")}", $"CLOSED_{ending.Code}", TunnelOutcome.Unreachable);

    private static TunnelException Unexpected(ClientReply reply) =>
        new($"the server answered with {reply.Kind}", "", TunnelOutcome.Unreachable);

    [LoggerMessage(6500, LogLevel.Debug, "skipped a frame of the server: {Why}")]
    private static partial void LogSkipped(ILogger logger, string why);

    [LoggerMessage(6502, LogLevel.Warning, "the server cut a visitor off: {Reason} ({Count} so far)")]
    private static partial void LogCut(ILogger logger, string reason, long count);

    [LoggerMessage(6501, LogLevel.Information, "the server will close this connection in {Seconds} s")]
    private static partial void LogDraining(ILogger logger, string seconds);
}
