using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Serialization.Metadata;
using Mooring.SocketIO.Codec;
using Mooring.SocketIO.Connections;
using Mooring.SocketIO.Server;

namespace Mooring.SocketIO;

/// <summary>
/// A namespace of a server: who may join, what happens to the events of those who did, and how to reach them all. Set it up before
/// clients come; handlers that are added later serve from then on.
/// </summary>
public sealed class SocketIONamespace
{
    private readonly ConcurrentDictionary<string, SocketIOServerSocket> _sockets = new(StringComparer.Ordinal);
    private volatile Func<SocketIOConnectRequest, CancellationToken, ValueTask<SocketIOConnectError?>>? _admit;
    private volatile Func<SocketIOServerSocket, ValueTask>? _connected;
    private volatile Action<SocketIOServerSocket, SocketIODisconnectReason>? _disconnected;

    internal SocketIONamespace(string name)
    {
        Name = name;
        WireName = SocketIOCodec.Normalize(Encoding.UTF8.GetBytes(name)).ToArray();
    }

    /// <summary>Its name, which begins with a slash.</summary>
    public string Name { get; }

    /// <summary>Those who are in it now.</summary>
    public IReadOnlyCollection<SocketIOServerSocket> Sockets => (IReadOnlyCollection<SocketIOServerSocket>)_sockets.Values;

    internal byte[] WireName { get; }

    internal EventTable<SocketIOServerSocket> Handlers { get; } = new();

    internal Rooms Rooms { get; } = new();

    /// <summary>Asks for every client whether it may join; nothing else is read from the client meanwhile.</summary>
    /// <param name="admit">Returns null to let it in, or the error that it gets.</param>
    /// <returns>This namespace.</returns>
    public SocketIONamespace Admit(Func<SocketIOConnectRequest, CancellationToken, ValueTask<SocketIOConnectError?>> admit)
    {
        _admit = admit;
        return this;
    }

    /// <summary>Greets a client that has joined.</summary>
    /// <param name="connected">Called before the client's first event is handled; its task may go on meanwhile.</param>
    /// <returns>This namespace.</returns>
    public SocketIONamespace OnConnected(Func<SocketIOServerSocket, ValueTask> connected)
    {
        _connected = connected;
        return this;
    }

    /// <summary>Is told when a client has left, for whatever reason; once for each.</summary>
    /// <param name="disconnected">Called once for each client. It must not wait for anything.</param>
    /// <returns>This namespace.</returns>
    public SocketIONamespace OnDisconnected(Action<SocketIOServerSocket, SocketIODisconnectReason> disconnected)
    {
        _disconnected = disconnected;
        return this;
    }

    /// <summary>Handles an event of the clients.</summary>
    /// <param name="eventName">The event's name.</param>
    /// <param name="handler">
    /// Called in the order in which one client's events came; when its task waits, the next event is handled meanwhile.
    /// </param>
    /// <returns>This namespace.</returns>
    /// <exception cref="InvalidOperationException">The event has a handler already.</exception>
    public SocketIONamespace On(string eventName, Func<SocketIOServerSocket, SocketIOEvent, ValueTask> handler)
    {
        Handlers.Add(eventName, handler);
        return this;
    }

    /// <summary>Handles the events that have no handler of their own.</summary>
    /// <param name="handler">As for <see cref="On"/>; null for none, then such events are dropped.</param>
    /// <returns>This namespace.</returns>
    public SocketIONamespace OnOther(Func<SocketIOServerSocket, SocketIOEvent, ValueTask>? handler)
    {
        Handlers.Other = handler;
        return this;
    }

    /// <summary>
    /// Sends an event to all, or to all in a room. It is encoded once and waits for nobody: a client whose queue is full loses its
    /// connection.
    /// </summary>
    /// <param name="eventName">The event's name.</param>
    /// <param name="arguments">Its arguments; null for none.</param>
    /// <param name="room">Only to those in this room; null for all.</param>
    /// <param name="except">Not to this one, often the one that caused the event.</param>
    /// <returns>To how many it was sent.</returns>
    public int Broadcast(string eventName, SocketIOArguments? arguments = null, string? room = null, SocketIOServerSocket? except = null)
    {
        using var packet = new PacketWriter();
        packet.WriteEvent(WireName, null, eventName, arguments);
        return Send(packet, room, except);
    }

    /// <summary>As the other overload, with one value.</summary>
    /// <typeparam name="T">Type of the value.</typeparam>
    /// <param name="eventName">The event's name.</param>
    /// <param name="value">The value.</param>
    /// <param name="type">How it is written, from a source-generated context.</param>
    /// <param name="room">Only to those in this room; null for all.</param>
    /// <param name="except">Not to this one, often the one that caused the event.</param>
    /// <returns>To how many it was sent.</returns>
    public int Broadcast<T>(
        string eventName, T value, JsonTypeInfo<T> type, string? room = null, SocketIOServerSocket? except = null)
    {
        using var packet = new PacketWriter();
        packet.WriteEvent(WireName, null, eventName, value, type);
        return Send(packet, room, except);
    }

    internal static void CheckName(string name)
    {
        if (name is not ['/', ..] || name.Contains(',') || name.Any(char.IsControl))
            throw new ArgumentException("a namespace begins with a slash and has neither commas nor control characters", nameof(name));
    }

    internal async ValueTask<SocketIOConnectError?> AdmitAsync(SocketIOConnectRequest request, CancellationToken cancellationToken) =>
        _admit is { } admit ? await admit(request, cancellationToken) : null;

    internal void Add(SocketIOServerSocket socket)
    {
        _sockets[socket.Id] = socket;
        if (_connected is { } connected) socket.Conversation.Run("connected", () => connected(socket));
    }

    internal void Remove(SocketIOServerSocket socket, SocketIODisconnectReason reason)
    {
        _sockets.TryRemove(socket.Id, out _);
        Rooms.RemoveAll(socket);
        if (_disconnected is not { } disconnected) return;
        socket.Conversation.Run("disconnected", () =>
        {
            disconnected(socket, reason);
            return ValueTask.CompletedTask;
        });
    }

    private int Send(PacketWriter packet, string? room, SocketIOServerSocket? except)
    {
        var sent = 0;
        if (room is null)
        {
            foreach (var (_, socket) in _sockets) sent += socket != except && socket.TrySend(packet) ? 1 : 0;
        }
        else
        {
            foreach (var socket in Rooms.MembersOf(room)) sent += socket != except && socket.TrySend(packet) ? 1 : 0;
        }
        return sent;
    }
}
