using System.Text.Json.Serialization.Metadata;

namespace Mooring.SocketIO;

/// <summary>One end of a connection: a client, or a client as its server sees it.</summary>
public interface ISocketIOSender
{
    /// <summary>Sends an event.</summary>
    /// <param name="eventName">Its name.</param>
    /// <param name="arguments">Its arguments; null for none.</param>
    /// <param name="cancellationToken">Gives up waiting for room in the peer's queue; what stands in it is sent.</param>
    /// <returns>When the event stands in the peer's queue.</returns>
    /// <exception cref="SocketIOCallException">There is no connection.</exception>
    ValueTask EmitAsync(string eventName, SocketIOArguments? arguments = null, CancellationToken cancellationToken = default);

    /// <summary>Sends an event with one value.</summary>
    /// <typeparam name="T">Type of the value.</typeparam>
    /// <param name="eventName">Its name.</param>
    /// <param name="value">The value.</param>
    /// <param name="type">How it is written, from a source-generated context.</param>
    /// <param name="cancellationToken">Gives up waiting for room in the peer's queue; what stands in it is sent.</param>
    /// <returns>When the event stands in the peer's queue.</returns>
    /// <exception cref="SocketIOCallException">There is no connection.</exception>
    ValueTask EmitAsync<T>(string eventName, T value, JsonTypeInfo<T> type, CancellationToken cancellationToken = default);

    /// <summary>Sends an event and waits for its acknowledgement.</summary>
    /// <param name="eventName">Its name.</param>
    /// <param name="arguments">Its arguments; null for none.</param>
    /// <param name="timeout">How long to wait.</param>
    /// <param name="cancellationToken">Gives up. The peer is not told.</param>
    /// <returns>What the peer answered.</returns>
    /// <exception cref="SocketIOCallException">There is no connection, it ended, or no acknowledgement came in time.</exception>
    Task<SocketIOReply> CallAsync(
        string eventName, SocketIOArguments? arguments, TimeSpan timeout, CancellationToken cancellationToken = default);

    /// <summary>Sends an event with one value and waits for its acknowledgement.</summary>
    /// <typeparam name="T">Type of the value.</typeparam>
    /// <param name="eventName">Its name.</param>
    /// <param name="value">The value.</param>
    /// <param name="type">How it is written, from a source-generated context.</param>
    /// <param name="timeout">How long to wait.</param>
    /// <param name="cancellationToken">Gives up. The peer is not told.</param>
    /// <returns>What the peer answered.</returns>
    /// <exception cref="SocketIOCallException">There is no connection, it ended, or no acknowledgement came in time.</exception>
    Task<SocketIOReply> CallAsync<T>(
        string eventName, T value, JsonTypeInfo<T> type, TimeSpan timeout, CancellationToken cancellationToken = default);
}
