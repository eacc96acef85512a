using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace Mooring.SocketIO.Tests.Server;

/// <summary>A client without manners: it says what the test wants.</summary>
internal static class RawClient
{
    public static Uri Query(ServerUnderTest server, string query) => new(server.Address, "/socket.io/?" + query);

    /// <summary>Opens a session over polling; returns its id.</summary>
    public static async Task<string> OpenAsync(HttpClient http, ServerUnderTest server, CancellationToken cancellationToken)
    {
        var body = await http.GetStringAsync(Query(server, "EIO=4&transport=polling"), cancellationToken);
        Assert.Equal('0', body[0]);
        return JsonDocument.Parse(body[1..]).RootElement.GetProperty("sid").GetString()!;
    }

    public static Task<HttpResponseMessage> PostAsync(
        HttpClient http, ServerUnderTest server, string sid, string body, CancellationToken cancellationToken) =>
        http.PostAsync(Query(server, $"EIO=4&transport=polling&sid={sid}"), new StringContent(body), cancellationToken);

    public static Task<string> PollAsync(HttpClient http, ServerUnderTest server, string sid, CancellationToken cancellationToken) =>
        http.GetStringAsync(Query(server, $"EIO=4&transport=polling&sid={sid}"), cancellationToken);

    /// <summary>Opens a WebSocket and takes the open packet.</summary>
    public static async Task<ClientWebSocket> WebSocketAsync(ServerUnderTest server, CancellationToken cancellationToken, string sid = "")
    {
        var socket = new ClientWebSocket();
        var uri = new UriBuilder(Query(server, "EIO=4&transport=websocket" + (sid.Length > 0 ? "&sid=" + sid : ""))) { Scheme = "ws" }.Uri;
        await socket.ConnectAsync(uri, cancellationToken);
        if (sid.Length == 0) Assert.StartsWith("0{", await ReceiveAsync(socket, cancellationToken), StringComparison.Ordinal);
        return socket;
    }

    public static Task SendAsync(this ClientWebSocket socket, string text, CancellationToken cancellationToken) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, cancellationToken);

    /// <summary>The next message; null at the end.</summary>
    public static async Task<string?> ReceiveAsync(this ClientWebSocket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        var length = 0;
        try
        {
            while (true)
            {
                var result = await socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
                if (result.MessageType == WebSocketMessageType.Close) return null;
                length += result.Count;
                if (result.EndOfMessage) return Encoding.UTF8.GetString(buffer, 0, length);
            }
        }
        catch (WebSocketException)
        {
            return null;
        }
    }

    /// <summary>Joins the root namespace.</summary>
    public static async Task JoinAsync(this ClientWebSocket socket, CancellationToken cancellationToken)
    {
        await socket.SendAsync("40", cancellationToken);
        Assert.StartsWith("40{\"sid\"", await socket.ReceiveAsync(cancellationToken), StringComparison.Ordinal);
    }
}
