using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace Mooring.Testing;

/// <summary>
/// Lets real Kestrel run without a port. Register it as the <see cref="IConnectionListenerFactory"/>, listen on an
/// <see cref="InMemoryEndPoint"/>, connect with <see cref="ConnectAsync(string, CancellationToken)"/>.
/// </summary>
public sealed class InMemoryTransport : IConnectionListenerFactory, IConnectionFactory
{
    /// <summary>Connections that may wait to be accepted: what a listen backlog is to TCP.</summary>
    public const int BacklogMax = 512;

    private readonly ConcurrentDictionary<string, Listener> _listeners = new();
    private long _connections;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var listener = new Listener(this, endpoint);
        if (!_listeners.TryAdd(endpoint.ToString()!, listener)) throw new AddressInUseException($"{endpoint} is in use");
        return new ValueTask<IConnectionListener>(listener);
    }

    /// <summary>Connects to the listener of this name.</summary>
    public Task<InMemoryConnection> ConnectAsync(string name = "default", CancellationToken cancellationToken = default) =>
        ConnectAsync(name, null, null, cancellationToken);

    /// <summary>Connects through a line with faults.</summary>
    public async Task<InMemoryConnection> ConnectAsync(
        string name, ByteFaults? toServer, ByteFaults? toClient, CancellationToken cancellationToken = default)
    {
        if (!_listeners.TryGetValue(name, out var listener)) throw new IOException($"Connection refused: nothing listens on {name}");
        var id = $"{name}-{Interlocked.Increment(ref _connections)}";
        var (client, server) = InMemoryConnection.CreatePair(id, listener.EndPoint, toServer, toClient);
        try
        {
            await listener.Backlog.Writer.WriteAsync(server, cancellationToken);
        }
        catch (ChannelClosedException)
        {
            throw new IOException($"Connection refused: nothing listens on {name}");
        }
        return client;
    }

    async ValueTask<ConnectionContext> IConnectionFactory.ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken) =>
        await ConnectAsync(endpoint.ToString()!, cancellationToken);

    /// <summary>An HTTP client whose connections end at the listener of this name.</summary>
    public HttpClient CreateHttpClient(string name = "default") =>
        new(new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = async (_, cancellationToken) => (await ConnectAsync(name, cancellationToken)).AsStream(),
        }) { BaseAddress = new Uri("http://localhost/") };

    private sealed class Listener(InMemoryTransport transport, EndPoint endPoint) : IConnectionListener
    {
        public Channel<ConnectionContext> Backlog { get; } = Channel.CreateBounded<ConnectionContext>(BacklogMax);

        public EndPoint EndPoint => endPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
            await Backlog.Reader.WaitToReadAsync(cancellationToken) && Backlog.Reader.TryRead(out var connection)
                ? connection
                : null;

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            transport._listeners.TryRemove(new KeyValuePair<string, Listener>(endPoint.ToString()!, this));
            Backlog.Writer.TryComplete();
            return ValueTask.CompletedTask;
        }

        public async ValueTask DisposeAsync()
        {
            await UnbindAsync();
            while (Backlog.Reader.TryRead(out var connection)) await connection.DisposeAsync();
        }
    }
}
