using System.Net;
using System.Net.Sockets;
using System.Text;
using Mooring.Mqtt.Broker;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Transports;

/// <summary>WebSocket as hostile peers use it: frames are written here byte by byte (RFC 6455 5.2).</summary>
public sealed class WebSocketListenerTests : MooringTest
{
    private const byte Text = 1;
    private const byte Binary = 2;
    private const byte Close = 8;
    private const byte Ping = 9;
    private static readonly byte[] Connect = Convert.FromHexString("101000044D5154540402000A000474657374");

    [Theory]
    [InlineData("/mqtt", "mqtt", "", "101")]
    [InlineData("/mqtt", "mqttv3.1", "", "101")]
    [InlineData("/mqtt", "chat, mqtt", "", "101")]
    [InlineData("/mqtt", "chat", "", "400")]
    [InlineData("/mqtt", "", "", "400")]
    [InlineData("/", "mqtt", "", "404")]
    [InlineData("/mqtt/x", "mqtt", "", "404")]
    [InlineData("/mqtt", "mqtt", "https://evil.example", "403")]
    [InlineData("/mqtt", "mqtt", "https://good.example", "101")]
    [InlineData("/mqtt", "mqtt", "http://localhost:7700", "101")]
    [InlineData("/mqtt", "mqtt", "null", "403")]
    public async Task Upgrade_NeedsThePath_TheProtocol_AndAnOriginThatMay(string path, string protocols, string origin, string status)
    {
        var host = await StartAsync();
        using var socket = await host.ConnectAsync(MqttTransport.WebSocket, TestTimeout);
        Assert.StartsWith("HTTP/1.1 " + status, await UpgradeAsync(socket, path, protocols, origin), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TextFrame_ClosesTheConnection()
    {
        var host = await StartAsync();
        using var socket = await OpenAsync(host);
        await SendAsync(socket, Text, Connect);
        await ExpectEndAsync(socket);
        Assert.Equal(0, host.Broker.Sessions);
    }

    [Fact]
    public async Task EveryByteInAFrameOfItsOwn_IsOneStream()
    {
        var host = await StartAsync();
        using var socket = await OpenAsync(host);
        foreach (var value in Connect) await SendAsync(socket, Binary, [value]);
        Assert.Equal("820420020000", Convert.ToHexString(await ReceiveAsync(socket, 6)));
    }

    [Fact]
    public async Task FrameThatIsNotMasked_ClosesTheConnection()
    {
        var host = await StartAsync();
        using var socket = await OpenAsync(host);
        await socket.SendAsync((byte[])[0x82, (byte)Connect.Length, .. Connect], TestTimeout);
        await ExpectEndAsync(socket);
        Assert.Equal(0, host.Broker.Sessions);
    }

    [Fact]
    public async Task FrameThatAnnouncesExbibytes_CostsNoMoreThanWhatArrives()
    {
        var host = await StartAsync();
        using var socket = await OpenAsync(host);
        await socket.SendAsync(Convert.FromHexString("82FF7FFFFFFFFFFFFFFF00000000"), TestTimeout);
        await socket.SendAsync((byte[])[.. Connect, 0x30, 0xFF, 0xFF, 0xFF, 0x7F], TestTimeout);
        await ExpectEndAsync(socket);
        using var next = await OpenAsync(host, "6E657874");
    }

    [Fact]
    public async Task PacketOfManyFrames_IsNotGatheredAgainForEachOfThem()
    {
        var host = await StartAsync();
        using var socket = await OpenAsync(host);
        await SendAsync(socket, Binary, Connect);
        Assert.Equal("820420020000", Convert.ToHexString(await ReceiveAsync(socket, 6)));
        // PUBLISH of 60,000 bytes, QoS 1, in frames of three bytes each.
        byte[] publish = [0x32, 0xE5, 0xD4, 0x03, 0, 1, (byte)'t', 0, 7, .. new byte[60_000]];
        var frames = new List<byte>();
        for (var at = 0; at < publish.Length; at += 3) frames.AddRange(Frame(Binary, publish.AsSpan(at, Math.Min(3, publish.Length - at))));
        await socket.SendAsync(frames.ToArray(), TestTimeout);
        Assert.Equal("820440020007", Convert.ToHexString(await ReceiveAsync(socket, 6)));
    }

    [Fact]
    public async Task PingsOfTheWebSocket_AreAnswered_ButAreNoSignOfLifeOfTheClient()
    {
        var host = await StartAsync();
        using var socket = await OpenAsync(host);
        await SendAsync(socket, Binary, Connect);
        Assert.Equal("820420020000", Convert.ToHexString(await ReceiveAsync(socket, 6)));
        await SendAsync(socket, Ping, "x"u8);
        Assert.Equal("8A0178", Convert.ToHexString(await ReceiveAsync(socket, 3)));
        host.Broker.Tick(host.Broker.Now + 16_000);
        await ExpectEndAsync(socket);
    }

    [Fact]
    public async Task SilentWebSocket_IsClosedAtTheConnectDeadline()
    {
        var host = await StartAsync();
        using var socket = await OpenAsync(host);
        await Eventually.TrueAsync(() => host.Broker.Connections == 1, "the connection", TestTimeout);
        host.Broker.Tick(host.Broker.Now + 10_000);
        await ExpectEndAsync(socket);
    }

    [Fact]
    public async Task CloseFrame_EndsTheConnection_AndPublishesTheWill()
    {
        var host = await StartAsync();
        using var watcher = await OpenAsync(host);
        await SendAsync(watcher, Binary, Convert.FromHexString("100D00044D5154540402003C000177" + "8206000100016100"));
        Assert.Equal("200200009003000100", await ReceivePayloadAsync(watcher, 9));
        using var client = await OpenAsync(host);
        await SendAsync(client, Binary, Convert.FromHexString("101300044D5154540406003C00016300016100016E"));
        Assert.Equal("820420020000", Convert.ToHexString(await ReceiveAsync(client, 6)));
        await SendAsync(client, Close, [3, 232]);
        await ExpectEndAsync(client);
        Assert.Equal("30040001616E", await ReceivePayloadAsync(watcher, 6));
    }

    [Fact]
    public async Task ClientThatOnlyAsks_IsNotReadUntilItTakesItsAnswers()
    {
        var host = await StartAsync();
        using var neighbour = await OpenAsync(host, "6E656967");
        using var socket = await OpenAsync(host);
        await SendAsync(socket, Binary, Connect);
        var batch = Enumerable.Repeat(Frame(Binary, Enumerable.Repeat((byte[])[0xC0, 0], 10_000).SelectMany(ping => ping).ToArray()), 20).SelectMany(frame => frame).ToArray();
        socket.Blocking = false;
        long sent = 0;
        for (var full = 0; full < 50;)
        {
            try
            {
                sent += socket.Send(batch.AsSpan((int)(sent % batch.Length)), SocketFlags.None);
                full = 0;
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.WouldBlock)
            {
                full++;
                await SendAsync(neighbour, Binary, [0xC0, 0]);
                Assert.Equal("8202D000", Convert.ToHexString(await ReceiveAsync(neighbour, 4)));
            }
            Assert.InRange(sent, 0, 300_000_000);
            Assert.InRange(host.Broker.View.Client("test")?.UnsentBytes ?? 0, 0, 1_500_000);
        }
    }

    private async Task<HostedBroker> StartAsync() => Own(await HostedBroker.StartAsync(
        Log,
        new MqttBrokerOptions
        {
            Listeners =
            [
                new MqttListener
                {
                    EndPoint = new IPEndPoint(IPAddress.Loopback, 0), Transport = MqttTransport.WebSocket, Origins = ["https://good.example"],
                },
            ],
        },
        TestTimeout));

    private async Task<Socket> OpenAsync(HostedBroker host, string? connectAs = null)
    {
        var socket = await host.ConnectAsync(MqttTransport.WebSocket, TestTimeout);
        Assert.StartsWith("HTTP/1.1 101", await UpgradeAsync(socket, "/mqtt", "mqtt", ""), StringComparison.Ordinal);
        if (connectAs is null) return socket;
        await SendAsync(socket, Binary, Convert.FromHexString("101000044D5154540402003C0004" + connectAs));
        Assert.Equal("820420020000", Convert.ToHexString(await ReceiveAsync(socket, 6)));
        return socket;
    }

    private async Task<string> UpgradeAsync(Socket socket, string path, string protocols, string origin)
    {
        var request = new StringBuilder($"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
        request.Append("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
        if (protocols.Length > 0) request.Append($"Sec-WebSocket-Protocol: {protocols}\r\n");
        if (origin.Length > 0) request.Append($"Origin: {origin}\r\n");
        await socket.SendAsync(Encoding.ASCII.GetBytes(request.Append("\r\n").ToString()), TestTimeout);
        var answer = new List<byte>();
        while (!answer.TakeLast(4).SequenceEqual("\r\n\r\n"u8.ToArray())) answer.AddRange(await ReceiveAsync(socket, 1));
        return Encoding.ASCII.GetString([.. answer]);
    }

    private async Task SendAsync(Socket socket, byte opcode, ReadOnlyMemory<byte> payload) =>
        await socket.SendAsync(Frame(opcode, payload.Span), TestTimeout);

    private Task SendAsync(Socket socket, byte opcode, ReadOnlySpan<byte> payload) => SendAsync(socket, opcode, payload.ToArray().AsMemory());

    /// <summary>A final frame with a mask of zeros.</summary>
    private static byte[] Frame(byte opcode, ReadOnlySpan<byte> payload) => payload.Length < 126
        ? [(byte)(0x80 | opcode), (byte)(0x80 | payload.Length), 0, 0, 0, 0, .. payload]
        : [(byte)(0x80 | opcode), 0xFE, (byte)(payload.Length >> 8), (byte)payload.Length, 0, 0, 0, 0, .. payload];

    /// <summary>What is in the next small frames: how packets are dealt out to them is the server's choice.</summary>
    private async Task<string> ReceivePayloadAsync(Socket socket, int count)
    {
        var payload = new List<byte>();
        while (payload.Count < count)
        {
            var header = await ReceiveAsync(socket, 2);
            Assert.Equal(0x82, header[0]);
            payload.AddRange(await ReceiveAsync(socket, header[1]));
        }
        return Convert.ToHexString([.. payload]);
    }

    private async Task<byte[]> ReceiveAsync(Socket socket, int count)
    {
        var bytes = new byte[count];
        for (var at = 0; at < count;)
        {
            var read = await socket.ReceiveAsync(bytes.AsMemory(at), TestTimeout);
            Assert.True(read > 0, $"the connection ended after {Convert.ToHexString(bytes.AsSpan(0, at))}");
            at += read;
        }
        return bytes;
    }

    private async Task ExpectEndAsync(Socket socket)
    {
        var buffer = new byte[256];
        try
        {
            while (await socket.ReceiveAsync(buffer, TestTimeout) > 0)
            {
                // What was sent before, and a close frame.
            }
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionReset)
        {
            // As good as closed.
        }
    }
}
