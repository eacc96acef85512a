using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Links;
using Mooring.SocketIO.Codec;
using Mooring.SocketIO.Connections;

namespace Mooring.SocketIO.Client;

/// <summary>One connection of a client, from its open packet to its end. Never used again.</summary>
internal sealed partial class ClientConnection : IFrameSink, IPacketSink, IDisposable
{
    private readonly SocketIOClientOptions _options;
    private readonly ICarrier _carrier;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Outbox _outbox;
    private readonly PacketReceiver _packets;
    private readonly Lock _lock = new();
    private readonly List<Membership> _memberships = [];
    private readonly SilenceWatch _silence;
    private readonly CancellationTokenSource _left = new();
    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<string> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _handling;
    private int _closed;

    public ClientConnection(SocketIOClientOptions options, EngineIOHandshake handshake, ICarrier carrier, TimeProvider time, ILogger logger)
    {
        (_options, _carrier, _time, _logger) = (options, carrier, time, logger);
        ServerPayloadBytesMax = handshake.MaxPayload;
        _outbox = new Outbox(options.Limits.OutboxBytesMax, options.Limits.OutboxPacketsMax);
        _packets = new PacketReceiver(options.Limits.PayloadBytesMax, this);
        var silence = handshake.PingInterval + handshake.PingTimeout;
        _silence = new SilenceWatch(silence, () => carrier.Progress, () => Volatile.Read(ref _handling) > 0, time, () =>
            Close(SocketIODisconnectReason.PingTimeout, $"the server sent nothing for {silence.TotalSeconds:0.###} s"));
    }

    public SocketIOTransports Transport => _carrier is WebSocketCarrier ? SocketIOTransports.WebSocket : SocketIOTransports.Polling;

    public int ServerPayloadBytesMax { get; }

    /// <summary>Asks the server to let this client into a namespace.</summary>
    public void Join(SocketIOClientNamespace nsp)
    {
        lock (_lock)
        {
            if (Volatile.Read(ref _closed) != 0 || _memberships.Exists(m => m.Namespace == nsp)) return;
            _memberships.Add(new Membership(nsp, new Conversation<SocketIOClientNamespace>(
                nsp, _outbox, nsp.WireName, nsp.Handlers, _options.Limits, _time, _logger, ServerPayloadBytesMax)));
        }
        using var packet = new PacketWriter();
        nsp.WriteConnect(packet);
        _outbox.AddUrgent(packet.Packet);
    }

    /// <summary>Serves the connection to its end.</summary>
    /// <param name="up">Called when each namespace was joined or refused, and one at least was joined.</param>
    /// <param name="limit">Ends the wait for that.</param>
    /// <param name="cancellationToken">Ends the connection in good order.</param>
    public async Task<LinkEnd> RunAsync(Action up, CancellationToken limit, CancellationToken cancellationToken)
    {
        using var lost = new CancellationTokenSource();
        var receiving = ReceiveAsync(lost.Token);
        var sending = SendAsync(lost.Token);
        await using var leaving = cancellationToken.UnsafeRegister(static state => ((ClientConnection)state!).Leave(), this);
        await using var late = limit.UnsafeRegister(static state => ((ClientConnection)state!).OnConnectLimit(), this);
        await Task.WhenAny(_settled.Task, _ended.Task);
        if (_settled.Task.IsCompletedSuccessfully && !_ended.Task.IsCompleted) up();

        var why = await _ended.Task;
        try
        {
            // What still waits goes out, the goodbye last.
            await sending.WaitAsync(_options.CloseTimeout, _time, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            // A server that takes nothing is not waited for.
        }
        await lost.CancelAsync();
        _carrier.Abort();
        await sending;
        await receiving;
        return LinkEnd.Retry(why);
    }

    public async ValueTask TextAsync(PooledFrame frame)
    {
        _silence.Heard();
        // No using: it would dispose of a copy, also after the frame was handed on.
        try
        {
            switch (EngineIOCodec.ReadPacket(frame.Span))
            {
                case EngineIOPacketType.Message:
                    await HandleAsync(_packets.MessageAsync(frame.Move()));
                    break;
                case EngineIOPacketType.Ping:
                    Answer(frame);
                    break;
                case EngineIOPacketType.Close:
                    Close(SocketIODisconnectReason.LeftByPeer, "the server closed the connection");
                    break;
                case EngineIOPacketType.Noop:
                    break;
                case var other:
                    throw new SocketIOProtocolException(SocketIOProtocolError.UnexpectedPacket, $"a server must not send {other} here");
            }
        }
        finally
        {
            frame.Dispose();
        }
    }

    public ValueTask BinaryAsync(PooledFrame frame)
    {
        _silence.Heard();
        return HandleAsync(_packets.BinaryAsync(frame));
    }

    public ValueTask PacketAsync(PooledFrame frame, in SocketIOPacket packet, IReadOnlyList<ReadOnlyMemory<byte>> attachments)
    {
        var membership = Find(packet.Namespace.Of(frame.Span));
        if (membership is { IsJoined: true } && (packet.IsEvent || packet.IsAck))
            return membership.Conversation.ReceiveAsync(frame, packet, attachments);
        using (frame)
        {
            // What crossed with our own leave on its way is dropped.
            if (membership is null) return ValueTask.CompletedTask;
            switch (packet.Type)
            {
                case SocketIOPacketType.Connect when !membership.IsJoined:
                    Joined(membership, packet.Payload.Of(frame.Span));
                    break;
                case SocketIOPacketType.ConnectError when !membership.IsJoined:
                    Refused(membership, packet.Payload.Of(frame.Span));
                    break;
                case SocketIOPacketType.Disconnect when membership.IsJoined:
                    Leave(membership);
                    break;
                default:
                    throw new SocketIOProtocolException(SocketIOProtocolError.UnexpectedPacket, $"a server must not send {packet.Type} here");
            }
        }
        return ValueTask.CompletedTask;
    }

    public void Dispose()
    {
        _silence.Dispose();
        _packets.Dispose();
        _carrier.Dispose();
        _left.Dispose();
    }

    private async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _carrier.ReceiveAsync(this, cancellationToken);
            Close(SocketIODisconnectReason.ConnectionLost, "the server ended the connection");
        }
        catch (SocketIOProtocolException e)
        {
            LogProtocolError(_logger, e.Error, e.Message);
            Close(SocketIODisconnectReason.ProtocolError, "the server broke the protocol: " + e.Message);
        }
        catch (Exception e) when (e is IOException or WebSocketException or HttpRequestException or OperationCanceledException or ObjectDisposedException)
        {
            Close(SocketIODisconnectReason.ConnectionLost, "the connection broke: " + e.Message);
        }
    }

    private async Task SendAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _carrier.SendAsync(_outbox, cancellationToken);
        }
        catch (Exception e) when (e is IOException or WebSocketException or HttpRequestException or OperationCanceledException or ObjectDisposedException)
        {
            Close(SocketIODisconnectReason.ConnectionLost, "the connection broke: " + e.Message);
        }
    }

    private async ValueTask HandleAsync(ValueTask handling)
    {
        if (handling.IsCompletedSuccessfully) return;
        // While handlers keep the reader waiting, the server's pings are not read: that is not the server's fault.
        Interlocked.Increment(ref _handling);
        try
        {
            await handling;
        }
        finally
        {
            Interlocked.Decrement(ref _handling);
            _silence.Heard();
        }
    }

    /// <summary>A ping is answered with what came in it.</summary>
    private void Answer(in PooledFrame frame)
    {
        frame.Array[0] = EngineIOCodec.TypeByte(EngineIOPacketType.Pong);
        _outbox.AddUrgent(frame.Span);
    }

    private void Joined(Membership membership, ReadOnlySpan<byte> payload)
    {
        SocketIOPayload.CheckConnect(payload);
        string? socketId = null;
        if (!payload.IsEmpty)
        {
            var json = new Utf8JsonReader(payload);
            var answer = JsonElement.ParseValue(ref json);
            if (answer.TryGetProperty("sid", out var sid) && sid.ValueKind == JsonValueKind.String) socketId = sid.GetString();
        }
        lock (_lock)
        {
            if (Volatile.Read(ref _closed) != 0) return;
            membership.IsJoined = true;
        }
        LogJoined(_logger, membership.Namespace.Name, Transport);
        membership.Namespace.Joined(membership.Conversation, socketId, _left.Token);
        Settle();
    }

    private void Refused(Membership membership, ReadOnlySpan<byte> payload)
    {
        SocketIOPayload.CheckConnectError(payload);
        var json = new Utf8JsonReader(payload);
        var answer = JsonElement.ParseValue(ref json);
        // Servers send an object; those of protocol 4 a bare text.
        var error = answer.ValueKind == JsonValueKind.String
            ? new SocketIOConnectError(answer.GetString()!)
            : new SocketIOConnectError(
                answer.TryGetProperty("message", out var message) && message.ValueKind == JsonValueKind.String ? message.GetString()! : "refused",
                answer.TryGetProperty("data", out var details) ? details : default);
        bool isLast;
        lock (_lock)
        {
            _memberships.Remove(membership);
            isLast = _memberships.Count == 0;
        }
        LogRefused(_logger, membership.Namespace.Name, error.Message);
        membership.Namespace.Refused(membership.Conversation, error);
        if (isLast) Close(SocketIODisconnectReason.LeftByPeer, $"the server does not let this client into {membership.Namespace.Name}: {error.Message}");
        else Settle();
    }

    /// <summary>The server sent this client away from a namespace. Without any namespace the connection is of no use.</summary>
    private void Leave(Membership membership)
    {
        bool isLast;
        lock (_lock)
        {
            if (!_memberships.Remove(membership)) return;
            isLast = _memberships.Count == 0;
        }
        membership.Namespace.Left(membership.Conversation, SocketIODisconnectReason.LeftByPeer);
        if (isLast) Close(SocketIODisconnectReason.LeftByPeer, "the server sent this client away");
    }

    private void Settle()
    {
        lock (_lock)
        {
            if (_memberships.Exists(m => !m.IsJoined)) return;
        }
        _settled.TrySetResult();
    }

    private void OnConnectLimit()
    {
        if (!_settled.Task.IsCompleted)
            Close(SocketIODisconnectReason.NeverJoined, $"no answer to the connect within {_options.ConnectTimeout.TotalSeconds:0.###} s");
    }

    private void Leave()
    {
        using var packet = new PacketWriter();
        Membership[] memberships;
        lock (_lock) memberships = [.. _memberships.Where(m => m.IsJoined)];
        foreach (var membership in memberships)
        {
            packet.Clear();
            packet.WriteJson(SocketIOPacketType.Disconnect, membership.Namespace.WireName, default);
            _outbox.AddUrgent(packet.Packet);
        }
        Close(SocketIODisconnectReason.LeftHere, Reconnector.StoppedByRequest);
    }

    private void Close(SocketIODisconnectReason reason, string why)
    {
        Membership[] memberships;
        lock (_lock)
        {
            if (_closed != 0) return;
            Volatile.Write(ref _closed, 1);
            memberships = [.. _memberships.Where(m => m.IsJoined)];
            _memberships.Clear();
        }
        _silence.Dispose();
        _outbox.Close();
        _left.Cancel();
        foreach (var membership in memberships) membership.Namespace.Left(membership.Conversation, reason);
        _ended.TrySetResult(why);
    }

    private Membership? Find(ReadOnlySpan<byte> wireName)
    {
        lock (_lock)
        {
            foreach (var membership in _memberships)
                if (wireName.SequenceEqual(membership.Namespace.WireName)) return membership;
        }
        return null;
    }

    private sealed class Membership(SocketIOClientNamespace nsp, Conversation<SocketIOClientNamespace> conversation)
    {
        public SocketIOClientNamespace Namespace { get; } = nsp;

        public Conversation<SocketIOClientNamespace> Conversation { get; } = conversation;

        public bool IsJoined { get; set; }
    }

    [LoggerMessage(3541, LogLevel.Information, "Joined {Namespace} over {Transport}")]
    private static partial void LogJoined(ILogger logger, string @namespace, SocketIOTransports transport);

    [LoggerMessage(3542, LogLevel.Warning, "The server does not let this client into {Namespace}: {Why}")]
    private static partial void LogRefused(ILogger logger, string @namespace, string why);

    [LoggerMessage(3543, LogLevel.Warning, "The server broke the protocol ({Error}): {Detail}")]
    private static partial void LogProtocolError(ILogger logger, SocketIOProtocolError error, string detail);
}
