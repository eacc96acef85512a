using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Mooring.SocketIO.Codec;
using Mooring.SocketIO.Connections;

namespace Mooring.SocketIO;

/// <summary>
/// A namespace as its client sees it. It lives as long as the client, over all connections; events can be sent while it is joined.
/// </summary>
public sealed class SocketIOClientNamespace : ISocketIOSender
{
    private volatile Conversation<SocketIOClientNamespace>? _conversation;
    private volatile Func<JsonElement>? _auth;
    private volatile Func<CancellationToken, ValueTask>? _connected;
    private volatile Action<SocketIODisconnectReason>? _disconnected;
    private volatile Action<SocketIOConnectError>? _refused;

    internal SocketIOClientNamespace(string name)
    {
        Name = name;
        WireName = SocketIOCodec.Normalize(Encoding.UTF8.GetBytes(name)).ToArray();
    }

    /// <summary>Its name, which begins with a slash.</summary>
    public string Name { get; }

    /// <summary>The server's name for this client in this namespace; null while it is not joined.</summary>
    public string? SocketId { get; private set; }

    /// <summary>Whether events can be sent now.</summary>
    public bool IsConnected => _conversation is not null;

    internal byte[] WireName { get; }

    internal EventTable<SocketIOClientNamespace> Handlers { get; } = new();

    /// <summary>Says something to be let in, at each connect.</summary>
    /// <param name="auth">Returns an object; it is asked each time.</param>
    /// <returns>This namespace.</returns>
    public SocketIOClientNamespace AuthenticateWith(Func<JsonElement> auth)
    {
        _auth = auth;
        return this;
    }

    /// <summary>Is told when the namespace has been joined.</summary>
    /// <param name="connected">
    /// Called before the first event is handled; its task may go on for as long as the namespace is joined: the token tells.
    /// </param>
    /// <returns>This namespace.</returns>
    public SocketIOClientNamespace OnConnected(Func<CancellationToken, ValueTask> connected)
    {
        _connected = connected;
        return this;
    }

    /// <summary>Is told when the namespace was left, for whatever reason; once for each time it was joined.</summary>
    /// <param name="disconnected">It must not wait for anything.</param>
    /// <returns>This namespace.</returns>
    public SocketIOClientNamespace OnDisconnected(Action<SocketIODisconnectReason> disconnected)
    {
        _disconnected = disconnected;
        return this;
    }

    /// <summary>Is told when the server does not let this client in.</summary>
    /// <param name="refused">It must not wait for anything.</param>
    /// <returns>This namespace.</returns>
    public SocketIOClientNamespace OnRefused(Action<SocketIOConnectError> refused)
    {
        _refused = refused;
        return this;
    }

    /// <summary>Handles an event of the server.</summary>
    /// <param name="eventName">The event's name.</param>
    /// <param name="handler">Called in the order in which the events came; when its task waits, the next event is handled meanwhile.</param>
    /// <returns>This namespace.</returns>
    /// <exception cref="InvalidOperationException">The event has a handler already.</exception>
    public SocketIOClientNamespace On(string eventName, Func<SocketIOClientNamespace, SocketIOEvent, ValueTask> handler)
    {
        Handlers.Add(eventName, handler);
        return this;
    }

    /// <summary>Handles the events that have no handler of their own.</summary>
    /// <param name="handler">As for <see cref="On"/>; null for none, then such events are dropped.</param>
    /// <returns>This namespace.</returns>
    public SocketIOClientNamespace OnOther(Func<SocketIOClientNamespace, SocketIOEvent, ValueTask>? handler)
    {
        Handlers.Other = handler;
        return this;
    }

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

    internal void WriteConnect(PacketWriter packet)
    {
        using var json = new ByteBuffer();
        if (_auth?.Invoke() is { ValueKind: JsonValueKind.Object } auth)
        {
            using var writer = new Utf8JsonWriter(json, SocketIOArguments.WriterOptions);
            auth.WriteTo(writer);
            writer.Flush();
        }
        packet.WriteJson(SocketIOPacketType.Connect, WireName, json.Length == 0 ? "{}"u8 : json.Span);
    }

    internal void Joined(Conversation<SocketIOClientNamespace> conversation, string? socketId, CancellationToken left)
    {
        (SocketId, _conversation) = (socketId, conversation);
        if (_connected is { } connected) conversation.Run("connected", () => connected(left));
    }

    internal void Left(Conversation<SocketIOClientNamespace> conversation, SocketIODisconnectReason reason)
    {
        (_conversation, SocketId) = (null, null);
        conversation.Close();
        if (_disconnected is not { } disconnected) return;
        conversation.Run("disconnected", () =>
        {
            disconnected(reason);
            return ValueTask.CompletedTask;
        });
    }

    internal void Refused(Conversation<SocketIOClientNamespace> conversation, SocketIOConnectError error)
    {
        conversation.Close();
        if (_refused is not { } refused) return;
        conversation.Run("refused", () =>
        {
            refused(error);
            return ValueTask.CompletedTask;
        });
    }

    private Conversation<SocketIOClientNamespace> Conversation =>
        _conversation ?? throw new SocketIOCallException(SocketIOCallError.NotConnected, "not connected");
}
