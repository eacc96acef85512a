using System.Net.WebSockets;
using System.Text;
using Mooring.Chat.Configuration;
using Mooring.Chat.Protocol;

namespace Mooring.Chat.Tests.Http;

/// <summary>Compressed messages on WebSockets, against the framework's client.</summary>
public sealed class CompressionTests : ChatTest
{
    private static readonly ChatOptions Both = Standard with
    {
        Mode = ChatMode.Both, WebSocketCompression = true, Announce = Announcements.None, Limits = new ChatLimits { MessageScalarsMax = 10_000 },
    };

    [Theory]
    [InlineData("chat.v1.json")]
    [InlineData("chat.v1.text")]
    public async Task Messages_arrive_whoever_compresses(string protocol)
    {
        var server = await StartAsync(Both);
        var tcp = await JoinAsync(server, "tcp");
        var packed = await OpenAsync(server, "/ws/packed/main", protocol, new WebSocketDeflateOptions());
        var plain = await OpenAsync(server, "/ws/plain/main", protocol, null);
        Assert.Equal(PerMessageDeflate.Accepted, Assert.Single(packed.Socket.HttpResponseHeaders!["Sec-WebSocket-Extensions"]));
        Assert.DoesNotContain("Sec-WebSocket-Extensions", plain.Socket.HttpResponseHeaders!.Keys);
        foreach (var text in new[] { "short", string.Concat(Enumerable.Repeat("again and ", 900)), string.Concat(Enumerable.Range(0, 300).Select(i => $"{i * 7919 % 1009} ")) })
        {
            await packed.SendAsync(protocol == "chat.v1.text" ? $"SEND {text}" : $$"""{"type":"send","text":"{{text}}"}""");
            await tcp.ExpectAsync($"MSG main:packed {text}");
            foreach (var member in new[] { packed, plain }) Assert.Equal(text, await MessageAsync(member));
        }
    }

    [Fact]
    public async Task It_is_off_unless_it_is_wanted_and_offers_that_cannot_be_kept_are_passed_over()
    {
        var off = await StartAsync(Both with { WebSocketCompression = false });
        var refused = await OpenAsync(off, "/ws/a/main", null, new WebSocketDeflateOptions());
        Assert.DoesNotContain("Sec-WebSocket-Extensions", refused.Socket.HttpResponseHeaders!.Keys);
        var on = await StartAsync(Both);
        var small = await OpenAsync(on, "/ws/a/main", null, new WebSocketDeflateOptions { ServerMaxWindowBits = 9 });
        Assert.DoesNotContain("Sec-WebSocket-Extensions", small.Socket.HttpResponseHeaders!.Keys);
    }

    [Theory]
    [InlineData("permessage-deflate", true)]
    [InlineData("x-webkit-deflate-frame, Permessage-Deflate; client_max_window_bits", true)]
    [InlineData("permessage-deflate; client_max_window_bits=10; server_no_context_takeover", true)]
    [InlineData("permessage-deflate; server_max_window_bits=10, permessage-deflate", true)]
    [InlineData("permessage-deflate; server_max_window_bits=10", false)]
    [InlineData("permessage-deflate; server_no_context_takeover; server_no_context_takeover", false)]
    [InlineData("permessage-deflate; unheard_of", false)]
    [InlineData("permessage-bzip2", false)]
    [InlineData("", false)]
    public void Offers_are_taken_or_passed_over(string header, bool expected) => Assert.Equal(expected, PerMessageDeflate.IsOffered(header));

    [Fact]
    public async Task A_message_that_grows_beyond_the_limit_closes_and_so_does_one_that_is_none()
    {
        var server = await StartAsync(Both);
        var bomb = await OpenAsync(server, "/ws/bomb/main", null, new WebSocketDeflateOptions());
        await bomb.SendAsync(new string('x', 10_000_000));
        Assert.Null(await bomb.ReadAsync());
        Assert.Equal(WebSocketCloseStatus.MessageTooBig, bomb.Socket.CloseStatus);
        Assert.Throws<InvalidDataException>(() => PerMessageDeflate.Decompress([0xFF, 0xFF, 0xFF, 0xFF], 1000));
    }

    [Fact]
    public void Twenty_thousand_random_inputs_are_decompressed_refused_or_bounded()
    {
        var random = new Random(11);
        var good = PerMessageDeflate.Compress(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("some words ", 50))))!;
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = i % 2 == 0 ? new byte[random.Next(0, 60)] : [.. good];
            if (i % 2 == 0) random.NextBytes(bytes);
            else bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                if (PerMessageDeflate.Decompress(bytes, 2000) is { } message) Assert.InRange(message.Length, 0, 2000);
            }
            catch (InvalidDataException)
            {
                // Not a message.
            }
        }
    }

    private static async Task<string> MessageAsync(SocketConnection member)
    {
        if (member.Socket.SubProtocol == "chat.v1.json") return (await member.ReadJsonAsync("message")).GetProperty("text").GetString()!;
        while (true)
        {
            var text = (await member.ReadAsync())!;
            if (text[0] != '{') return text;
        }
    }

    private async Task<SocketConnection> OpenAsync(ChatServer server, string path, string? protocol, WebSocketDeflateOptions? deflate)
    {
        var socket = Own(await SocketConnection.OpenAsync(server, path, protocol, TestTimeout, deflate: deflate));
        Assert.Contains("registered", await socket.ReadAsync(), StringComparison.Ordinal);
        return socket;
    }
}
