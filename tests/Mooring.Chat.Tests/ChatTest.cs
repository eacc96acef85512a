using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Mooring.Chat.Configuration;
using Mooring.Testing;

namespace Mooring.Chat.Tests;

/// <summary>A chat server on loopback for a test, and clients for it.</summary>
public abstract class ChatTest : MooringTest
{
    protected static ChatOptions Standard { get; } = new()
    {
        Mode = ChatMode.Socket,
        Sockets = [new IPEndPoint(IPAddress.Loopback, 0)],
        Http = new IPEndPoint(IPAddress.Loopback, 0),
        ShutdownGrace = TimeSpan.FromSeconds(5),
    };

    protected async Task<ChatServer> StartAsync(ChatOptions? options = null, TimeProvider? time = null)
    {
        var server = Own(new ChatServer(options ?? Standard, LoggerFactory, time ?? TimeProvider.System));
        await server.StartAsync(TestTimeout);
        return server;
    }

    private protected async Task<LineConnection> ConnectAsync(ChatServer server) =>
        Own(await LineConnection.OpenAsync(server.SocketEndPoints[0], TestTimeout));

    private protected async Task<LineConnection> ConnectTlsAsync(ChatServer server)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server.SocketEndPoints[0], TestTimeout);
        var stream = new SslStream(new NetworkStream(socket));
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "localhost", RemoteCertificateValidationCallback = (_, _, _, _) => true }, TestTimeout);
        return Own(new LineConnection(socket, stream, TestTimeout));
    }

    /// <summary>A client that is in a room.</summary>
    private protected async Task<LineConnection> JoinAsync(ChatServer server, string client, string room = "main")
    {
        var connection = await ConnectAsync(server);
        await connection.SayAsync($"JOIN {room}:{client}", $"OK JOIN {room}:{client}");
        return connection;
    }
}
