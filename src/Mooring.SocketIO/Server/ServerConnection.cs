using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Mooring.SocketIO.Codec;
using Mooring.SocketIO.Connections;

namespace Mooring.SocketIO.Server;

/// <summary>Socket.IO on one session: which namespaces the client is in, and where its packets go.</summary>
internal sealed partial class ServerConnection : IEngineReceiver, IPacketSink
{
    private readonly SocketIOServer _server;
    private readonly EngineSession _session;
    private readonly SocketIOServerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    // A few at most; the list is shorter than any table.
    private readonly List<SocketIOServerSocket> _sockets = [];
    private readonly Lock _lock = new();
    private readonly PacketReceiver _packets;
    private bool _closed;

    public ServerConnection(SocketIOServer server, EngineSession session, SocketIOServerOptions options, TimeProvider time, ILogger logger)
    {
        (_server, _session, _options, _time, _logger) = (server, session, options, time, logger);
        _packets = new PacketReceiver(options.Limits.PayloadBytesMax, this);
    }

    public Outbox Outbox => _session.Outbox;

    public SocketIOHandshake Handshake => _session.Handshake;

    public SocketIOTransports Transport => _session.Transport;

    public CancellationToken Ended => _session.Ended;

    public bool HasJoined { get; private set; }

    public ValueTask MessageAsync(PooledFrame frame) => _packets.MessageAsync(frame);

    public ValueTask BinaryAsync(PooledFrame frame) => _packets.BinaryAsync(frame);

    public void Close(SocketIODisconnectReason reason) => _session.Close(reason);

    public void Closed(SocketIODisconnectReason reason)
    {
        SocketIOServerSocket[] sockets;
        lock (_lock)
        {
            _closed = true;
            sockets = [.. _sockets];
            _sockets.Clear();
        }
        foreach (var socket in sockets) socket.Left(reason);
    }

    public void Leave(SocketIOServerSocket socket, SocketIODisconnectReason reason)
    {
        lock (_lock) _sockets.Remove(socket);
        socket.Left(reason);
    }

    public ValueTask PacketAsync(PooledFrame frame, in SocketIOPacket packet, IReadOnlyList<ReadOnlyMemory<byte>> attachments)
    {
        if (packet.Type == SocketIOPacketType.Connect) return ConnectAsync(frame, packet);
        var socket = Find(packet.Namespace.Of(frame.Span));
        if (socket is not null && (packet.IsEvent || packet.IsAck)) return socket.Conversation.ReceiveAsync(frame, packet, attachments);
        frame.Dispose();
        if (packet.Type == SocketIOPacketType.ConnectError)
            throw new SocketIOProtocolException(SocketIOProtocolError.UnexpectedPacket, "a client must not send connect errors");
        // What crossed with our own disconnect on its way is dropped; a namespace never joined is a mistake.
        if (socket is null && !HasJoined)
            throw new SocketIOProtocolException(SocketIOProtocolError.UnexpectedPacket, "a packet for a namespace that was not joined");
        if (socket is not null) Leave(socket, SocketIODisconnectReason.LeftByPeer);
        return ValueTask.CompletedTask;
    }

    private async ValueTask ConnectAsync(PooledFrame frame, SocketIOPacket packet)
    {
        using (frame)
        {
            SocketIOPayload.CheckConnect(packet.Payload.Of(frame.Span));
            var name = packet.Namespace.IsEmpty ? "/" : Encoding.UTF8.GetString(packet.Namespace.Of(frame.Span));
            if (_server.Find(name) is not { } nsp)
            {
                Refuse(packet.Namespace.Of(frame.Span), new SocketIOConnectError("Invalid namespace"));
                return;
            }
            CheckMayConnect(nsp);
            var auth = ReadAuth(packet.Payload.Of(frame.Span));
            if (await AdmitAsync(nsp, auth) is { } error)
            {
                LogRefused(_logger, _session.Id, name, error.Message);
                Refuse(nsp.WireName, error);
            }
            else Join(nsp, auth);
        }
    }

    private async ValueTask<SocketIOConnectError?> AdmitAsync(SocketIONamespace nsp, JsonElement auth)
    {
        try
        {
            return await nsp.AdmitAsync(new SocketIOConnectRequest(_session.Handshake, nsp.Name, auth), _session.Ended);
        }
        catch (Exception e)
        {
            if (!_session.IsClosed) LogAdmitFailed(_logger, nsp.Name, e);
            return new SocketIOConnectError("Internal error");
        }
    }

    private void CheckMayConnect(SocketIONamespace nsp)
    {
        lock (_lock)
        {
            if (_sockets.Exists(s => s.Namespace == nsp))
                throw new SocketIOProtocolException(SocketIOProtocolError.UnexpectedPacket, "a second connect to one namespace");
            if (_sockets.Count >= _options.Limits.NamespacesMax)
                throw new SocketIOProtocolException(SocketIOProtocolError.OverLimit, $"more than {_options.Limits.NamespacesMax} namespaces");
        }
    }

    private void Join(SocketIONamespace nsp, JsonElement auth)
    {
        var socket = new SocketIOServerSocket(this, nsp, SocketIOServer.NewSocketId(), auth, _options.Limits, _time, _logger);
        lock (_lock)
        {
            if (_closed) return;
            _sockets.Add(socket);
        }
        HasJoined = true;
        using var packet = new PacketWriter();
        packet.WriteJson(SocketIOPacketType.Connect, nsp.WireName, Encoding.UTF8.GetBytes($"{{\"sid\":\"{socket.Id}\"}}"));
        Outbox.AddUrgent(packet.Packet);
        nsp.Add(socket);
        // The session may have ended between the two: then nobody else would take the socket out again.
        if (_session.IsClosed) Leave(socket, SocketIODisconnectReason.ConnectionLost);
    }

    private void Refuse(ReadOnlySpan<byte> nsp, SocketIOConnectError error)
    {
        using var json = new ByteBuffer();
        using (var writer = new Utf8JsonWriter(json, SocketIOArguments.WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteString("message"u8, error.Message);
            if (error.Details.ValueKind != JsonValueKind.Undefined)
            {
                writer.WritePropertyName("data"u8);
                error.Details.WriteTo(writer);
            }
            writer.WriteEndObject();
        }
        using var packet = new PacketWriter();
        packet.WriteJson(SocketIOPacketType.ConnectError, nsp, json.Span);
        Outbox.AddUrgent(packet.Packet);
    }

    private SocketIOServerSocket? Find(ReadOnlySpan<byte> wireName)
    {
        lock (_lock)
        {
            foreach (var socket in _sockets)
                if (wireName.SequenceEqual(socket.Namespace.WireName)) return socket;
        }
        return null;
    }

    private static JsonElement ReadAuth(ReadOnlySpan<byte> payload)
    {
        if (payload.IsEmpty) return default;
        var reader = new Utf8JsonReader(payload);
        return JsonElement.ParseValue(ref reader);
    }

    [LoggerMessage(3530, LogLevel.Information, "Session {SessionId} may not join {Namespace}: {Why}")]
    private static partial void LogRefused(ILogger logger, string sessionId, string @namespace, string why);

    [LoggerMessage(3531, LogLevel.Error, "The check of who may join {Namespace} failed")]
    private static partial void LogAdmitFailed(ILogger logger, string @namespace, Exception exception);
}
