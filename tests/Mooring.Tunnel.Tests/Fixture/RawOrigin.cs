using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mooring.Tunnel.Tests.Fixture;

/// <summary>An application that says exactly what a test wants, byte by byte.</summary>
internal sealed class RawOrigin : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<NetworkStream, Task> _serve;
    private int _connections;

    public RawOrigin(Func<NetworkStream, Task> serve)
    {
        _serve = serve;
        _listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>Answers every request of a connection with the same bytes.</summary>
    public static RawOrigin Answering(string answer, bool closes = false) => new(async stream =>
    {
        while (await ReadHeadAsync(stream) is not null)
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(answer));
            if (closes) return;
        }
    });

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Reads up to the empty line; null at the end.</summary>
    public static async Task<string?> ReadHeadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (await stream.ReadAsync(one) > 0)
        {
            head.Append((char)one[0]);
            if (head.Length >= 4 && head.ToString(head.Length - 4, 4) == "\r\n\r\n") return head.ToString();
        }
        return null;
    }

    public ValueTask DisposeAsync()
    {
        _listener.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            TcpClient client;
            try
            {
                client = await _listener.AcceptTcpClientAsync();
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                return;
            }
            Interlocked.Increment(ref _connections);
            _ = ServeAsync(client);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await _serve(client.GetStream());
            }
            catch (Exception exception) when (exception is IOException or ObjectDisposedException)
            {
                // The client went away, as some tests want.
            }
        }
    }
}
