using System.Collections.Concurrent;
using System.Threading.Channels;
using Mooring.Mqtt.Client.Transports;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Client;

/// <summary>A broker in memory that says what a test has it say.</summary>
internal sealed class ScriptedBroker(MqttVersion version) : IDialer, IAsyncDisposable
{
    private readonly ConcurrentBag<ScriptedConnection> _all = [];
    private readonly Channel<ScriptedConnection> _dialled = Channel.CreateBounded<ScriptedConnection>(1000);
    private int _dials;

    internal MqttVersion Version => version;

    /// <summary>How often the client dialled.</summary>
    internal int Dials => Volatile.Read(ref _dials);

    /// <summary>Every dial fails.</summary>
    internal bool IsUnreachable { get; set; }

    /// <summary>What goes wrong on the way of the next connection, from the client and to it.</summary>
    internal (ByteFaults? FromClient, ByteFaults? ToClient) NextFaults { get; set; }

    public async ValueTask<ClientTransport> DialAsync(CancellationToken cancellationToken)
    {
        var number = Interlocked.Increment(ref _dials);
        if (IsUnreachable) throw new IOException("connection refused");
        var (fromClient, toClient) = NextFaults;
        NextFaults = default;
        var name = $"broker-{number}";
        var (client, server) = InMemoryConnection.CreatePair(name, new InMemoryEndPoint(name), fromClient, toClient);
        var connection = new ScriptedConnection(server, version);
        _all.Add(connection);
        await _dialled.Writer.WriteAsync(connection, cancellationToken);
        return new ClientTransport(client.AsStream(), async _ => await client.Transport.Output.CompleteAsync());
    }

    /// <summary>The next connection, of which nothing has been read.</summary>
    internal async Task<ScriptedConnection> AcceptAsync(CancellationToken cancellationToken)
    {
        var connection = await _dialled.Reader.ReadAsync(cancellationToken);
        connection.TimeLimit = cancellationToken;
        return connection;
    }

    /// <summary>The next connection, after CONNECT and CONNACK.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="sessionPresent">The broker has kept the session.</param>
    /// <param name="properties">Properties of CONNACK in hexadecimal.</param>
    internal async Task<ScriptedConnection> ConnectAsync(
        CancellationToken cancellationToken, bool sessionPresent = false, string properties = "")
    {
        var connection = await AcceptAsync(cancellationToken);
        connection.Connect = await connection.ReceiveAsync();
        await connection.ConnAckAsync(sessionPresent, properties: properties);
        return connection;
    }

    /// <summary>Closes what is open, so that a client need not wait for it.</summary>
    public async ValueTask DisposeAsync()
    {
        IsUnreachable = true;
        foreach (var connection in _all) await connection.CloseAsync();
    }

    public void Dispose()
    {
    }
}
