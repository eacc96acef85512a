using System.Text;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.Http;
using Mooring.Tunnel.Protocol.MessagePack;
using Mooring.Tunnel.Protocol.WebSocket;

namespace Mooring.Tunnel.Tests.Protocol;

/// <summary>Decoders of byte streams, fed with anything, cut anywhere: they read, wait for more, or refuse by name.</summary>
public sealed class StreamFuzzTests
{
    private const int Rounds = 20_000;
    private const int Seed = 20261121;

    private static readonly byte[][] s_answers =
    [
        .. new[]
        {
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.0 404\r\nX: \tä \r\n\r\n",
        }.Select(Encoding.Latin1.GetBytes),
    ];

    private static readonly byte[][] s_chunks = [.. new[] { "5\r\nhello\r\n0\r\n\r\n", "2;a=\"b\"\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\nZ: \r\n\r\n", "FFFF\r\n" }.Select(Encoding.Latin1.GetBytes)];

    private static readonly byte[][] s_frames =
    [
        Frame(WebSocketOpcode.Binary, 5), Frame(WebSocketOpcode.Text, 200), Frame(WebSocketOpcode.Ping, 3), Frame(WebSocketOpcode.Close, 2), Frame(WebSocketOpcode.Binary, 70_000),
    ];

    [Fact]
    public void ResponseHeads_AreReadOrRefused() => Fuzz(s_answers, static bytes =>
    {
        while (HttpResponseHead.TryRead(bytes, out var head, out var length))
        {
            Assert.InRange(head.Status, 100, 999);
            var fields = new HttpFieldLines(head.Fields);
            while (fields.Read()) Assert.True(HttpField.IsToken(fields.Name) && HttpField.IsValue(fields.Value));
            bytes = bytes[length..];
        }
    });

    [Fact]
    public void ChunkedBodies_AreTheSame_HoweverTheyAreCut() => Fuzz(s_chunks, static bytes => Assert.Equal(Unchunked(bytes, bytes.Length), Unchunked(bytes, 1)));

    [Fact]
    public void WebSocketFrames_AreTheSame_HoweverTheyAreCut() => Fuzz(s_frames, static bytes => Assert.Equal(Messages(bytes, bytes.Length), Messages(bytes, 1 + (bytes.Length / 7))));

    [Fact]
    public void MessagePackValues_AreSteppedOverOrRefused() => Fuzz([.. Vectors.GenerationB.Values, .. Vectors.GenerationA.Values], static bytes =>
    {
        var reader = new MessagePackReader(bytes);
        while (!reader.IsAtEnd)
        {
            var before = reader.Position;
            reader.ReadRaw();
            Assert.True(reader.Position > before);
        }
    });

    private static void Fuzz(byte[][] corpus, Action<byte[]> read)
    {
        var random = new Random(Seed);
        for (var round = 0; round < Rounds; round++)
        {
            byte[] bytes = round % 4 == 0 ? RandomBytes(random) : [.. corpus[random.Next(corpus.Length)]];
            if (round % 4 != 0 && bytes.Length > 0)
            {
                // Mostly near the beginning, where the lengths are.
                for (var i = random.Next(1, 4); i > 0; i--) bytes[random.Next(Math.Min(bytes.Length, 100))] = (byte)random.Next(256);
                if (round % 4 == 3) bytes = bytes[..random.Next(bytes.Length + 1)];
            }
            try
            {
                read(bytes);
            }
            catch (TunnelProtocolException)
            {
                // The one exception that is allowed.
            }
        }
    }

    private static string Unchunked(byte[] bytes, int piece)
    {
        var decoder = new ChunkedDecoder();
        var body = new MemoryStream();
        try
        {
            for (var at = 0; at < bytes.Length && !decoder.IsDone;)
            {
                body.Write(decoder.Read(bytes.AsSpan(at, Math.Min(piece, bytes.Length - at)), out var used));
                at += used;
            }
            return $"{decoder.IsDone} {Convert.ToHexString(body.ToArray())} {(decoder.IsDone ? Convert.ToHexString(decoder.Trailers) : "")}";
        }
        catch (TunnelProtocolException exception)
        {
            return $"{exception.Error} {Convert.ToHexString(body.ToArray())}";
        }
    }

    private static string Messages(byte[] bytes, int piece)
    {
        using var input = new LinkInput(new LinkLimits(), isMasked: true);
        var heard = new StringBuilder();
        try
        {
            for (var at = 0; at < bytes.Length;)
            {
                var count = Math.Min(Math.Min(piece, bytes.Length - at), input.Free.Length);
                bytes.AsSpan(at, count).CopyTo(input.Free.Span);
                input.Received(count);
                at += count;
                while (input.TryRead(out var opcode, out var payload)) heard.Append(opcode).Append(payload.Length).Append(Convert.ToHexString(payload[..Math.Min(payload.Length, 50)]));
            }
        }
        catch (TunnelProtocolException exception)
        {
            heard.Append(exception.Error);
        }
        return heard.ToString();
    }

    private static byte[] Frame(WebSocketOpcode opcode, int length)
    {
        var bytes = new byte[WebSocketFraming.HeaderBytesMax + length];
        var header = WebSocketFraming.WriteHeader(bytes, opcode, length, maskKey: 0x01020304);
        return bytes[..(header + length)];
    }

    private static byte[] RandomBytes(Random random)
    {
        var bytes = new byte[random.Next(100)];
        random.NextBytes(bytes);
        return bytes;
    }
}
