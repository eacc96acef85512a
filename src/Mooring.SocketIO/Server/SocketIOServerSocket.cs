using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;
using Mooring.SocketIO.Codec;
using Mooring.SocketIO.Connections;
using Mooring.SocketIO.Server;

namespace Mooring.SocketIO;

/// <summary>A client in one namespace, as the server sees it.</summary>
public sealed class SocketIOServerSocket : ISocketIOSender
{
    private readonly ServerConnection _connection;
    private int _left;

    internal SocketIOServerSocket(
        ServerConnection connection, SocketIONamespace nsp, string id, JsonElement auth, SocketIOLimits limits, TimeProvider time, ILogger logger)
    {
        (_connection, Namespace, Id, Auth) = (connection, nsp, id, auth);
        Conversation = new Conversation<SocketIOServerSocket>(this, connection.Outbox, nsp.WireName, nsp.Handlers, limits, time, logger);
    }

    /// <summary>Names this client in this namespace; another one after each reconnect.</summary>
    public string Id { get; }

    /// <summary>The namespace.</summary>
    public SocketIONamespace Namespace { get; }

    /// <summary>How the client opened its connection, with its certificate.</summary>
    public SocketIOHandshake Handshake => _connection.Handshake;

    /// <summary>What the client said to be let in; of kind Undefined when it said nothing.</summary>
    public JsonElement Auth { get; }

    /// <summary>Whatever the application wants to remember about this client.</summary>
    public object? State { get; set; }

    /// <summary>Whether the client is still there.</summary>
    public bool IsConnected => Volatile.Read(ref _left) == 0;

    /// <summary>How the packets travel now.</summary>
    public SocketIOTransports Transport => _connection.Transport;

    /// <summary>Cancelled when the client's connection has ended.</summary>
    public CancellationToken ConnectionEnded => _connection.Ended;

    internal Conversation<SocketIOServerSocket> Conversation { get; }

    /// <inheritdoc/>
    public ValueTask EmitAsync(string eventName, SocketIOArguments? arguments = null, CancellationToken cancellationToken = default) =>
        Conversation.EmitAsync(eventName, arguments, cancellationToken);

    /// <inheritdoc/>
    public ValueTask EmitAsync<T>(string eventName, T value, JsonTypeInfo<T> type, CancellationToken cancellationToken = default) =>
        Conversation.EmitAsync(eventName, value, type, cancellationToken);

    /// <inheritdoc/>
    public Task<SocketIOReply> CallAsync(
        string eventName, SocketIOArguments? arguments, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        Conversation.CallAsync(eventName, arguments, timeout, cancellationToken);

    /// <inheritdoc/>
    public Task<SocketIOReply> CallAsync<T>(
        string eventName, T value, JsonTypeInfo<T> type, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        Conversation.CallAsync(eventName, value, type, timeout, cancellationToken);

    /// <summary>Adds the client to a room, to be reached by <see cref="SocketIONamespace.Broadcast(string, SocketIOArguments?, string?, SocketIOServerSocket?)"/>.</summary>
    /// <param name="room">The room's name.</param>
    public void Join(string room) => Namespace.Rooms.Add(room, this);

    /// <summary>Takes the client out of a room.</summary>
    /// <param name="room">The room's name.</param>
    public void Leave(string room) => Namespace.Rooms.Remove(room, this);

    /// <summary>Sends the client away from this namespace. Its other namespaces stay.</summary>
    public void Disconnect()
    {
        if (!IsConnected) return;
        var packet = Conversation.RentWriter();
        packet.WriteJson(SocketIOPacketType.Disconnect, Namespace.WireName, default);
        _connection.Outbox.AddUrgent(packet.Packet);
        packet.Dispose();
        _connection.Leave(this, SocketIODisconnectReason.LeftHere);
    }

    /// <summary>Ends the client's connection with all its namespaces.</summary>
    public void DisconnectConnection() => _connection.Close(SocketIODisconnectReason.LeftHere);

    /// <summary>Adds an encoded event for many; a client that takes too little loses its connection instead of holding up the others.</summary>
    internal bool TrySend(PacketWriter packet)
    {
        var result = IsConnected ? _connection.Outbox.TryAdd(packet.Packet, packet.Attachments) : OutboxResult.Closed;
        if (result == OutboxResult.Full) _connection.Close(SocketIODisconnectReason.SlowPeer);
        return result == OutboxResult.Added;
    }

    internal void Left(SocketIODisconnectReason reason)
    {
        if (Interlocked.Exchange(ref _left, 1) != 0) return;
        Conversation.Close();
        Namespace.Remove(this, reason);
    }
}
