using System.Net.Sockets;
using System.Text;
using Mooring.Cli.Tests.Configuration;

namespace Mooring.Cli.Tests.Bridges;

/// <summary>Somebody in a chat room, over TCP.</summary>
internal sealed class RoomClient(TcpClient connection) : IDisposable
{
    private readonly StreamReader _reader = new(connection.GetStream(), Encoding.UTF8);

    internal static async Task<RoomClient> ConnectAsync(UpRun up, string first, CancellationToken cancellationToken)
    {
        var connection = new TcpClient();
        await connection.ConnectAsync("127.0.0.1", up.PortOf("chat"), cancellationToken);
        var client = new RoomClient(connection);
        await client.SayAsync(first, cancellationToken);
        return client;
    }

    internal async Task SayAsync(string line, CancellationToken cancellationToken) =>
        await connection.GetStream().WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), cancellationToken);

    /// <summary>Waits for a line with the text that is no command.</summary>
    internal Task<string> UntilAsync(string text, CancellationToken cancellationToken) =>
        UntilAsync(line => line.Contains(text, StringComparison.Ordinal) && !line.Contains(" /", StringComparison.Ordinal), cancellationToken);

    internal async Task<string> UntilAsync(Func<string, bool> fits, CancellationToken cancellationToken)
    {
        var heard = new List<string>();
        try
        {
            while (await _reader.ReadLineAsync(cancellationToken) is { } line)
            {
                if (fits(line)) return line;
                heard.Add(line);
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"not heard in time; heard were:\n{string.Join('\n', heard)}");
        }
        throw new IOException($"the server closed; heard were:\n{string.Join('\n', heard)}");
    }

    public void Dispose()
    {
        _reader.Dispose();
        connection.Dispose();
    }
}
