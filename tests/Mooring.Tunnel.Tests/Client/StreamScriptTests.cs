using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Protocol.WebSocket;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Client;

/// <summary>Our client against a scripted server of generation B, versions 1 and 2: streams.</summary>
public sealed class StreamScriptTests : MooringTest
{
    private async Task RunAsync(int version, int port, Func<ScriptedConnection, Task> script, TunnelDefinition? definition = null)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await ScriptedServer.StartAsync(async connection =>
        {
            try
            {
                await connection.WelcomeAsync(version, name: "myapp");
                await script(connection);
                done.TrySetResult();
            }
            catch (Exception exception)
            {
                done.TrySetException(exception);
            }
            await connection.UntilClosedAsync();
        });
        await using var client = await TunnelClient.ConnectAsync(
            new TunnelClientOptions { Server = server.Address, Token = "t", Tunnels = [definition ?? new TunnelDefinition { LocalPort = port, Subdomain = "myapp" }] },
            LoggerFactory, cancellationToken: TestTimeout);
        await done.Task.WaitAsync(TestTimeout);
    }

    private static Task OpenAsync(ScriptedConnection connection, long id, string method, string path, bool hasBody = false, StreamMode mode = StreamMode.Http, params (string Name, string Value)[] headers) =>
        connection.SendAsync(output =>
        {
            var block = new HeaderBlock();
            block.Add("host", "myapp.example.org");
            foreach (var (name, value) in headers) block.Add(name, value);
            FrameWriter.WriteStreamOpen(output, new StreamOpening
            {
                StreamId = id, TunnelId = "myapp"u8, Mode = mode, Path = Encoding.UTF8.GetBytes(path), Headers = block.Encoded, Method = Encoding.ASCII.GetBytes(method), HasBody = hasBody,
            });
        });

    private static Task DataAsync(ScriptedConnection connection, long id, byte[] bytes, DataFraming framing, DataKind kind = DataKind.Bytes) =>
        connection.SendAsync(output => FrameWriter.WriteStreamData(output, id, bytes, framing, kind));

    [Fact]
    public async Task Item74_FrameThatCannotBeRead_IsSkipped_AndAHeartbeatAnsweredWithoutVersion() => await RunAsync(2, 1, async connection =>
    {
        await connection.SendAsync([0xC1, .. "garbage"u8]);
        await connection.SendAsync(Convert.FromHexString("81a454797065a6537472616e6765"));
        await connection.SendAsync(FrameWriter.WriteHeartbeat);
        var answer = await connection.HearAsync();
        Assert.Equal((FrameKind.HeartbeatAck, false), (answer.Kind, answer.HasVersion));
    });

    [Fact]
    public async Task RequestWithABody_IsStreamed_AndAnsweredByOneHead_TheBody_AndAClose()
    {
        await using var origin = await WebOrigin.StartAsync();
        await RunAsync(2, origin.Port, async connection =>
        {
            await OpenAsync(connection, 7, "POST", "/echo?x=%2F", hasBody: true, headers: ("content-length", "6"));
            await DataAsync(connection, 7, "abc"u8.ToArray(), DataFraming.More);
            await DataAsync(connection, 7, "def"u8.ToArray(), DataFraming.Last);
            var head = await connection.HearAsync();
            Assert.Equal((FrameKind.StreamData, 7L, DataFraming.Last, 200), (head.Kind, head.StreamId, head.Framing, head.Status));
            var body = "";
            HeardFrame frame;
            while ((frame = await connection.HearAsync()).Kind == FrameKind.StreamData)
            {
                Assert.Equal(DataFraming.Plain, frame.Framing);
                body += frame.Text;
            }
            Assert.Equal(("abcdef", FrameKind.StreamClose), (body, frame.Kind));
        });
    }

    [Fact]
    public async Task Item83_VersionOne_HasTheVerbAmongTheHeaders_WhichTheApplicationDoesNotSee()
    {
        var seen = new TaskCompletionSource<string?>();
        await using var origin = new RawOrigin(async stream =>
        {
            seen.TrySetResult(await RawOrigin.ReadHeadAsync(stream));
            await stream.WriteAsync("HTTP/1.1 204 No Content\r\n\r\n"u8.ToArray());
        });
        await RunAsync(1, origin.Port, async connection =>
        {
            // {stream_id: 3, tunnel_id: "myapp", mode: "http", path: "/a?b=%41", headers: {Method: "DELETE", X: "1"}, body: "", Type: "StreamOpen"}
            await connection.SendAsync(Convert.FromHexString(
                "87a973747265616d5f696403a974756e6e656c5f6964a56d79617070a46d6f6465a468747470a470617468a82f613f623d253431a76865616465727382a64d6574686f64a644454c455445a158a131a4626f6479c400a454797065aa53747265616d4f70656e"));
            Assert.Equal(204, (await connection.HearAsync()).Status);
            Assert.Equal(FrameKind.StreamClose, (await connection.HearAsync()).Kind);
        });
        var head = await seen.Task.WaitAsync(TestTimeout);
        Assert.StartsWith("DELETE /a?b=%41 HTTP/1.1\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nX: 1\r\n", head, StringComparison.Ordinal);
        Assert.DoesNotContain("Method", head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Item85_StreamThatTheServerCloses_CancelsTheRequest_AndNothingIsSent()
    {
        var (asked, over) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var origin = new RawOrigin(async stream =>
        {
            await RawOrigin.ReadHeadAsync(stream);
            asked.SetResult();
            try
            {
                while (await stream.ReadAsync(new byte[10]) > 0)
                {
                }
            }
            finally
            {
                over.SetResult();
            }
        });
        await RunAsync(2, origin.Port, async connection =>
        {
            await OpenAsync(connection, 1, "GET", "/hang");
            await asked.Task.WaitAsync(TestTimeout);
            await connection.SendAsync(output => FrameWriter.WriteStreamClose(output, 1));
            await over.Task.WaitAsync(TestTimeout);
            await connection.SendAsync(FrameWriter.WriteHeartbeat);
            Assert.Equal(FrameKind.HeartbeatAck, (await connection.HearAsync()).Kind);
        });
    }

    [Fact]
    public async Task StreamOfNoTunnel_IsReset() => await RunAsync(2, 1, async connection =>
    {
        await connection.SendAsync(output => FrameWriter.WriteStreamOpen(output, new StreamOpening
        {
            StreamId = 5, TunnelId = "myap"u8, Mode = StreamMode.Http, Path = "/"u8, Headers = new HeaderBlock().Encoded, Method = "GET"u8,
        }));
        var reset = await connection.HearAsync();
        Assert.Equal((FrameKind.StreamReset, 5L), (reset.Kind, reset.StreamId));
    });

    [Fact]
    public async Task Item84_PasswordThatTheServerDoesNotEnforce_IsAskedForByTheClient()
    {
        await using var origin = await WebOrigin.StartAsync();
        await RunAsync(
            2, 0, async connection =>
            {
                foreach (var (id, credentials, status) in new[] { (1, "", 401), (2, "bAsIc " + Convert.ToBase64String("u:p"u8), 200), (3, "Basic ***", 401), (4, "Basic " + Convert.ToBase64String("u:q"u8), 401) })
                {
                    await OpenAsync(connection, id, "GET", "/hello", headers: credentials.Length > 0 ? [("authorization", credentials)] : []);
                    Assert.Equal(status, (await connection.HearAsync()).Status);
                    Assert.Equal(status == 401 ? "Unauthorized" : "hello", (await connection.HearAsync()).Text);
                    Assert.Equal(FrameKind.StreamClose, (await connection.HearAsync()).Kind);
                }
            },
            new TunnelDefinition { LocalPort = origin.Port, Subdomain = "myapp", Auth = "u:p" });
    }

    [Fact]
    public async Task Item81_82_WebSocketOfVersionTwo_CarriesMessagesInPieces_BothWays()
    {
        var large = new byte[65_537];
        await using var origin = new RawOrigin(async stream =>
        {
            await AcceptAsync(stream);
            using var socket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = true });
            var buffer = new byte[100];
            var first = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
            var second = first.EndOfMessage ? default : await socket.ReceiveAsync(buffer.AsMemory(first.Count), CancellationToken.None);
            Assert.Equal((true, WebSocketMessageType.Text, "aéb"), (second.EndOfMessage, first.MessageType, Encoding.UTF8.GetString(buffer, 0, first.Count + second.Count)));
            var empty = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
            Assert.Equal((true, WebSocketMessageType.Binary, 0), (empty.EndOfMessage, empty.MessageType, empty.Count));
            await socket.SendAsync(large, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
            await socket.SendAsync(Array.Empty<byte>(), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
            await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
            await socket.SendAsync(Encoding.ASCII.GetBytes($"{(int?)socket.CloseStatus}"), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        });
        await RunAsync(2, origin.Port, async connection =>
        {
            await OpenAsync(connection, 1, "GET", "/ws", mode: StreamMode.WebSocket);
            Assert.Equal(101, (await connection.HearAsync()).Status);
            var utf8 = "aéb"u8.ToArray();
            await DataAsync(connection, 1, utf8[..2], DataFraming.More, DataKind.Text);
            await DataAsync(connection, 1, utf8[2..], DataFraming.Last, DataKind.Text);
            await DataAsync(connection, 1, [], DataFraming.Last, DataKind.Binary);
            var (bytes, last) = (0, false);
            while (!last)
            {
                var frame = await connection.HearAsync();
                Assert.Equal((FrameKind.StreamData, DataKind.Binary), (frame.Kind, frame.DataKind));
                last = frame.Framing == DataFraming.Last;
                Assert.True(last || frame.Framing == DataFraming.More);
                Assert.InRange(frame.Bytes.Length, 0, 65_536);
                bytes += frame.Bytes.Length;
            }
            Assert.Equal(large.Length, bytes);
            var empty = await connection.HearAsync();
            Assert.Equal((DataKind.Text, DataFraming.Last, 0), (empty.DataKind, empty.Framing, empty.Bytes.Length));
            await connection.SendAsync(output => FrameWriter.WriteStreamReset(output, 1, "gone"));
            await connection.SendAsync(FrameWriter.WriteHeartbeat);
            Assert.Equal(FrameKind.HeartbeatAck, (await connection.HearAsync()).Kind);
        });
    }

    [Fact]
    public async Task Item81_WebSocketOfVersionOne_HasWholeMessages_AndNoAnswerToTheOpening()
    {
        await using var origin = new RawOrigin(async stream =>
        {
            await AcceptAsync(stream);
            using var socket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = true });
            await socket.SendAsync(new byte[70_000], WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
            await socket.ReceiveAsync(new byte[10].AsMemory(), CancellationToken.None);
        });
        await RunAsync(1, origin.Port, async connection =>
        {
            // {stream_id: 1, tunnel_id: "myapp", mode: "ws", path: "/", headers: {Method: "GET"}, body: "", Type: "StreamOpen"}
            await connection.SendAsync(Convert.FromHexString(
                "87a973747265616d5f696401a974756e6e656c5f6964a56d79617070a46d6f6465a27773a470617468a12fa76865616465727381a64d6574686f64a3474554a4626f6479c400a454797065aa53747265616d4f70656e"));
            var message = await connection.HearAsync();
            Assert.Equal((FrameKind.StreamData, DataKind.Binary, DataFraming.Plain, 70_000), (message.Kind, message.DataKind, message.Framing, message.Bytes.Length));
        });
    }

    [Fact]
    public async Task Item88_ApplicationThatMovesBetweenAddresses_IsFollowed()
    {
        var first = await WebOrigin.StartAsync();
        var port = first.Port;
        await RunAsync(2, port, async connection =>
        {
            await AskAsync(1);
            await first.DisposeAsync();
            var builder = Microsoft.AspNetCore.Builder.WebApplication.CreateSlimBuilder();
            builder.WebHost.UseSetting("urls", $"http://[::1]:{port}");
            await using var moved = builder.Build();
            moved.MapGet("/hello", () => "hello");
            await moved.StartAsync(TestTimeout);
            await AskAsync(2);

            async Task AskAsync(int id)
            {
                await OpenAsync(connection, id, "GET", "/hello");
                Assert.Equal(200, (await connection.HearAsync()).Status);
                Assert.Equal("hello", (await connection.HearAsync()).Text);
                Assert.Equal(FrameKind.StreamClose, (await connection.HearAsync()).Kind);
            }
        });
    }

    private static async Task AcceptAsync(System.Net.Sockets.NetworkStream stream)
    {
        var head = await RawOrigin.ReadHeadAsync(stream);
        var key = head!.Split("\r\n").First(line => line.StartsWith("Sec-WebSocket-Key:", StringComparison.OrdinalIgnoreCase))[18..].Trim();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {WebSocketFraming.Accept(key)}\r\n\r\n"));
    }
}
