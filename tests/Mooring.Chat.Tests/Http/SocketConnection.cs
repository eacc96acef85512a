using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace Mooring.Chat.Tests.Http;

/// <summary>A WebSocket client: the framework's, which knows nothing of this server.</summary>
internal sealed class SocketConnection(ClientWebSocket socket, CancellationToken cancellationToken) : IAsyncDisposable
{
    private readonly byte[] _buffer = new byte[128 * 1024];

    internal ClientWebSocket Socket => socket;

    internal static async Task<SocketConnection> OpenAsync(ChatServer server, string path, string? protocol, CancellationToken cancellationToken, string? origin = null, WebSocketDeflateOptions? deflate = null)
    {
        var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.DangerousDeflateOptions = deflate;
        if (protocol is not null) socket.Options.AddSubProtocol(protocol);
        if (origin is not null) socket.Options.SetRequestHeader("Origin", origin);
        await socket.ConnectAsync(new Uri($"ws://{server.HttpEndPoint}{path}"), cancellationToken);
        return new SocketConnection(socket, cancellationToken);
    }

    internal Task SendAsync(string text) => socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, cancellationToken);

    /// <summary>The next text; null when the server closes.</summary>
    internal async Task<string?> ReadAsync()
    {
        var result = await socket.ReceiveAsync(_buffer, cancellationToken);
        Assert.True(result.EndOfMessage);
        return result.MessageType == WebSocketMessageType.Close ? null : Encoding.UTF8.GetString(_buffer, 0, result.Count);
    }

    internal async Task<JsonElement> ReadJsonAsync() => JsonElement.Parse((await ReadAsync())!);

    /// <summary>Reads objects until one has this type.</summary>
    internal async Task<JsonElement> ReadJsonAsync(string type)
    {
        while (true)
        {
            var json = await ReadJsonAsync();
            if (json.GetProperty("type").GetString() == type) return json;
        }
    }

    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
