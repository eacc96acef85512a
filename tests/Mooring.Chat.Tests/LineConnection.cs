using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mooring.Chat.Tests;

/// <summary>A client of the line protocol that knows nothing but TCP.</summary>
internal sealed class LineConnection : IAsyncDisposable
{
    private readonly Stream _stream;
    private readonly StreamReader _reader;
    private readonly CancellationToken _cancellation;

    internal LineConnection(Socket socket, Stream stream, CancellationToken cancellationToken)
    {
        Socket = socket;
        _stream = stream;
        _reader = new StreamReader(stream, new UTF8Encoding(false, throwOnInvalidBytes: true), false, 1024, leaveOpen: true);
        _cancellation = cancellationToken;
    }

    internal Socket Socket { get; }

    internal static async Task<LineConnection> OpenAsync(IPEndPoint server, CancellationToken cancellationToken)
    {
        var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server, cancellationToken);
        return new LineConnection(socket, new NetworkStream(socket), cancellationToken);
    }

    /// <summary>Sends a line.</summary>
    internal Task SendAsync(string line) => SendBytesAsync(Encoding.UTF8.GetBytes(line + "\n"));

    internal Task SendBytesAsync(byte[] bytes) => _stream.WriteAsync(bytes, _cancellation).AsTask();

    /// <summary>The next line that is not empty; null at the end.</summary>
    internal async Task<string?> ReadAsync()
    {
        string? line;
        do line = await _reader.ReadLineAsync(_cancellation);
        while (line is "");
        return line;
    }

    internal async Task ExpectAsync(params string[] lines)
    {
        foreach (var line in lines) Assert.Equal(line, await ReadAsync());
    }

    /// <summary>Sends a line and reads the answers to it.</summary>
    internal async Task SayAsync(string line, params string[] answers)
    {
        await SendAsync(line);
        await ExpectAsync(answers);
    }

    /// <summary>Reads until the server has closed; what came is the result.</summary>
    internal async Task<IReadOnlyList<string>> ReadToEndAsync()
    {
        var lines = new List<string>();
        while (await ReadAsync() is { } line) lines.Add(line);
        return lines;
    }

    /// <summary>Proves that nothing has come: the answer to PING is the next line.</summary>
    internal Task NothingAsync() => SayAsync("PING nothing", "PONG nothing");

    internal void EndSending() => Socket.Shutdown(SocketShutdown.Send);

    /// <summary>Ends with a reset, as a process that is killed with unread input does.</summary>
    internal void Reset()
    {
        Socket.LingerState = new LingerOption(true, 0);
        Socket.Close();
    }

    public async ValueTask DisposeAsync()
    {
        _reader.Dispose();
        await _stream.DisposeAsync();
        Socket.Dispose();
    }
}
