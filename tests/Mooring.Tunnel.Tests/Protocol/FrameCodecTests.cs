using System.Buffers;
using System.Text;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.GenerationB;

namespace Mooring.Tunnel.Tests.Protocol;

public sealed class FrameCodecTests
{
    public static TheoryData<string> Names => [.. Vectors.GenerationB.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Vector_IsWhatIsWritten(string name)
    {
        var output = new ArrayBufferWriter<byte>();
        Write(name, output);
        Assert.Equal(Convert.ToHexString(Vectors.GenerationB[name]), Convert.ToHexString(output.WrittenSpan));
    }

    [Fact]
    public void Auth_IsRead()
    {
        var frame = FrameReader.Read(Vectors.GenerationB["Auth"]);
        Assert.Equal(FrameKind.Auth, frame.Kind);
        Assert.Equal("tok123456", FrameView.Text(frame.Token));
        Assert.Equal(2, frame.Version);
    }

    [Fact]
    public void HeartbeatAck_WithoutVersion_IsVersionOne()
    {
        var frame = FrameReader.Read(Vectors.GenerationB["HeartbeatAck"]);
        Assert.Equal((1, false), (frame.Version, frame.HasVersion));
        Assert.True(FrameReader.Read(Vectors.GenerationB["Welcome"]).HasVersion);
    }

    [Fact]
    public void StreamOpen_IsRead()
    {
        var frame = FrameReader.Read(Vectors.GenerationB["StreamOpen"]);
        Assert.Equal((FrameKind.StreamOpen, 7L, StreamMode.Http, false), (frame.Kind, frame.StreamId, frame.Mode, frame.HasBody));
        Assert.Equal("myapp /a?b=1 GET", $"{FrameView.Text(frame.TunnelId)} {FrameView.Text(frame.Path)} {FrameView.Text(frame.Method)}");
        var headers = new HeaderReader(frame.Headers);
        Assert.True(headers.Read());
        Assert.Equal("host=myapp.retunnel.net", $"{FrameView.Text(headers.Name)}={FrameView.Text(headers.Value)}");
        Assert.False(headers.Read());
    }

    [Fact]
    public void StreamData_IsRead()
    {
        var frame = FrameReader.Read(Vectors.GenerationB["StreamDataHead"]);
        Assert.Equal((FrameKind.StreamData, 7L, DataFraming.Last), (frame.Kind, frame.StreamId, frame.Framing));
        var head = ResponseHead.Read(frame.Bytes);
        Assert.Equal(200, head.Status);
        Assert.Equal(DataFraming.Plain, FrameReader.Read(Vectors.GenerationB["StreamDataBody"]).Framing);
    }

    [Fact]
    public void RawFrames_AreRead()
    {
        var body = FrameReader.Read(Vectors.GenerationB["RawBody"]);
        Assert.Equal((FrameKind.StreamData, 7L, DataFraming.Plain, "hello"), (body.Kind, body.StreamId, body.Framing, FrameView.Text(body.Bytes)));
        var head = FrameReader.Read(Vectors.GenerationB["RawHead"]);
        Assert.Equal((300L, DataFraming.Last), (head.StreamId, head.Framing));
        Assert.Equal(262_144, FrameReader.Read(Vectors.GenerationB["RawCredit"]).Credit);
        Assert.True(FrameReader.Read(Vectors.GenerationB["RawEnd"]).IsEnd);
    }

    [Fact]
    public void Error_AndStreamClose_KeepTheirCodesApart()
    {
        Assert.Equal("UNAUTHORIZED", FrameView.Text(FrameReader.Read(Vectors.GenerationB["Error"]).Code));
        var output = new ArrayBufferWriter<byte>();
        FrameWriter.WriteStreamClose(output, 9, 4321, "bye");
        var close = FrameReader.Read(output.WrittenSpan);
        Assert.Equal((FrameKind.StreamClose, 9L, 4321, "bye"), (close.Kind, close.StreamId, close.CloseCode, FrameView.Text(close.Reason)));
    }

    [Fact]
    public void EverythingOfVersionThree_RoundTrips()
    {
        var output = new ArrayBufferWriter<byte>();
        FrameWriter.WriteStreamOpen(output, new StreamOpening
        {
            StreamId = 70_000,
            TunnelId = "t"u8,
            Mode = StreamMode.WebSocket,
            Path = "/"u8,
            Method = "GET"u8,
            HasBody = true,
            Window = 262_144,
            ClientAddress = "192.0.2.1:5"u8,
            IsTls = true,
            RequestId = "req-1"u8,
            DeadlineMilliseconds = 30_000,
        });
        var frame = FrameReader.Read(output.WrittenSpan);
        Assert.Equal((70_000L, StreamMode.WebSocket, true, 262_144L, true, 30_000L),
            (frame.StreamId, frame.Mode, frame.HasBody, frame.Window, frame.IsTls, frame.DeadlineMilliseconds));
        Assert.Equal("192.0.2.1:5 req-1", $"{FrameView.Text(frame.ClientAddress)} {FrameView.Text(frame.RequestId)}");
        Assert.False(new HeaderReader(frame.Headers).Read());
    }

    [Fact]
    public void Capabilities_RoundTrip_AndStrangersAreIgnored()
    {
        var output = new ArrayBufferWriter<byte>();
        FrameWriter.WriteWelcome(output, 3, Capabilities.All);
        Assert.Equal(Capabilities.All, FrameReader.Read(output.WrittenSpan).Capabilities);
        var strange = Convert.FromHexString("82A46361707393A377696E05A5717569636BA454797065A441757468");
        Assert.Equal(Capabilities.Windows, FrameReader.Read(strange).Capabilities);
    }

    [Theory]
    [InlineData("82a776657273696f6ea133a454797065a441757468", 1)]
    [InlineData("82a776657273696f6ecb4008000000000000a454797065a441757468", 1)]
    [InlineData("82a776657273696f6effa454797065a441757468", 1)]
    [InlineData("82a776657273696f6e09a454797065a441757468", 9)]
    public void VersionThatIsNoSensibleNumber_CountsAsOne(string hex, int version) =>
        Assert.Equal(version, FrameReader.Read(Convert.FromHexString(hex)).Version);

    [Theory]
    [InlineData(3, 2, 2)]
    [InlineData(3, 9, 3)]
    [InlineData(2, 1, 1)]
    [InlineData(3, 0, 1)]
    public void VersionInForce_IsTheSmaller(int ours, int theirs, int agreed) => Assert.Equal(agreed, ProtocolVersion.Agree(ours, theirs));

    [Fact]
    public void Capabilities_NeedVersionThree()
    {
        Assert.Equal(Capabilities.None, ProtocolVersion.Agree(2, Capabilities.All, Capabilities.All));
        Assert.Equal(Capabilities.Raw, ProtocolVersion.Agree(3, Capabilities.All, Capabilities.Raw));
    }

    [Fact]
    public void Headers_KeepOrderAndDuplicates_InAnyNumber()
    {
        var block = new HeaderBlock();
        for (var count = 0; count < 40; count++)
        {
            block.Clear();
            for (var i = 0; i < count; i++) block.Add("Set-Cookie", $"c{i}");
            var reader = new HeaderReader(block.Encoded);
            for (var i = 0; i < count; i++)
            {
                Assert.True(reader.Read());
                Assert.True(reader.Is("set-cookie"u8));
                Assert.Equal($"c{i}", Encoding.UTF8.GetString(reader.Value));
            }
            Assert.False(reader.Read());
        }
    }

    [Fact]
    public void HeaderMapOfVersionOne_IsRead_AndItsVerbKnown()
    {
        var reader = new HeaderReader(Convert.FromHexString("82A64D6574686F64A4504F5354A161A162"));
        Assert.True(reader.Read());
        Assert.True(reader.IsVerb);
        Assert.True(reader.Read());
        Assert.False(reader.IsVerb);
    }

    [Fact]
    public void WebSocketAnswers_AndTrailers_RoundTrip()
    {
        var output = new ArrayBufferWriter<byte>();
        ResponseHead.WriteAccepted(output, "chat");
        var head = ResponseHead.Read(output.WrittenSpan);
        Assert.Equal((101, "chat"), (head.Status, FrameView.Text(head.Subprotocol)));
        output.Clear();
        ResponseHead.WriteAccepted(output, null);
        Assert.True(ResponseHead.Read(output.WrittenSpan).Subprotocol.IsEmpty);
        output.Clear();
        var block = new HeaderBlock();
        block.Add("grpc-status", "0");
        ResponseHead.WriteTrailers(output, block.Encoded);
        Assert.True(ResponseHead.Read(output.WrittenSpan).IsTrailers);
        output.Clear();
        ResponseHead.WriteRefused(output, 403, "Forbidden", block.Encoded);
        Assert.Equal((403, "Forbidden"), (ResponseHead.Read(output.WrittenSpan).Status, FrameView.Text(ResponseHead.Read(output.WrittenSpan).Reason)));
    }

    [Fact]
    public void LongReason_IsShortened()
    {
        var output = new ArrayBufferWriter<byte>();
        FrameWriter.WriteStreamReset(output, 1, new string('€', 500));
        Assert.InRange(FrameReader.Read(output.WrittenSpan).Reason.Length, 1, FrameWriter.ReasonBytesMax);
    }

    [Theory]
    [InlineData("80", TunnelProtocolError.MissingType)]
    [InlineData("81A454797065A3466F6F", TunnelProtocolError.UnknownType)]
    [InlineData("81A454797065A9486561727462656174C0", TunnelProtocolError.TrailingBytes)]
    [InlineData("81A473746F70", TunnelProtocolError.Truncated)]
    [InlineData("C1", TunnelProtocolError.Truncated)]
    [InlineData("C10703", TunnelProtocolError.OutOfRange)]
    [InlineData("C107C0", TunnelProtocolError.OutOfRange)]
    [InlineData("C1FFFFFFFFFFFFFFFFFFFF01", TunnelProtocolError.OutOfRange)]
    [InlineData("81A973747265616D5F6964FF", TunnelProtocolError.OutOfRange)]
    [InlineData("81A973747265616D5F6964A131", TunnelProtocolError.WrongType)]
    public void BrokenFrame_IsANamedError(string hex, object error) =>
        Assert.Equal(error, Assert.Throws<TunnelProtocolException>(() => FrameReader.Read(Convert.FromHexString(hex))).Error);

    [Theory]
    [MemberData(nameof(Names))]
    public void EveryCut_IsANamedError_OrAShorterRawFrame(string name)
    {
        var bytes = Vectors.GenerationB[name];
        for (var cut = 0; cut < bytes.Length; cut++)
        {
            var piece = bytes[..cut];
            if (RawFrame.Is(piece) && cut >= 3) continue;
            Assert.Throws<TunnelProtocolException>(() => FrameReader.Read(piece));
        }
    }

    [Fact]
    public void GenerationsAreToldApart_ByTheFirstByte()
    {
        Assert.All(Vectors.GenerationA.Values, bytes => Assert.False(FrameReader.LooksLikeGenerationB(bytes)));
        Assert.All(Vectors.GenerationB.Where(v => !v.Key.StartsWith("Raw", StringComparison.Ordinal)), v => Assert.True(FrameReader.LooksLikeGenerationB(v.Value)));
        Assert.False(FrameReader.LooksLikeGenerationB([]));
    }

    [Fact]
    public void TwentyThousandRandomAndMutatedMessages_AreReadOrRefusedByName()
    {
        const int seed = 20261121;
        var random = new Random(seed);
        var corpus = Vectors.GenerationA.Values.Concat(Vectors.GenerationB.Values).ToArray();
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = round % 2 == 0 ? RandomBytes(random) : Mutated(random, corpus);
            Try(() => FrameReader.Read(bytes));
            Try(() => ResponseHead.Read(bytes));
            Try(() => Mooring.Tunnel.Protocol.GenerationA.ControlCodec.Read(bytes));
            Try(() => Mooring.Tunnel.Protocol.GenerationA.ProxyCodec.ReadRequest(bytes));
            Try(() => Mooring.Tunnel.Protocol.GenerationA.ProxyCodec.ReadResponse(bytes));
            Try(() =>
            {
                var headers = new HeaderReader(bytes);
                while (headers.Read()) { }
            });
        }
    }

    private static void Try(Action read)
    {
        try
        {
            read();
        }
        catch (TunnelProtocolException)
        {
            // The one exception that is allowed.
        }
    }

    private static byte[] RandomBytes(Random random)
    {
        var bytes = new byte[random.Next(64)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Mutated(Random random, byte[][] corpus)
    {
        byte[] bytes = [.. corpus[random.Next(corpus.Length)]];
        for (var i = random.Next(1, 4); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        return bytes;
    }

    private static void Write(string name, ArrayBufferWriter<byte> output)
    {
        var headers = new HeaderBlock();
        switch (name)
        {
            case "Auth": FrameWriter.WriteAuth(output, "tok123456", 2, Capabilities.None); break;
            case "Welcome": FrameWriter.WriteWelcome(output, 2, Capabilities.None); break;
            case "HeartbeatAck": FrameWriter.WriteHeartbeatAck(output); break;
            case "Heartbeat": FrameWriter.WriteHeartbeat(output); break;
            case "TunnelCreate": FrameWriter.WriteTunnelCreate(output, new TunnelRequest("http", "myapp")); break;
            case "TunnelCreated": FrameWriter.WriteTunnelCreated(output, new TunnelGrant("https://myapp.retunnel.net", "myapp")); break;
            case "StreamOpen":
                headers.Add("host", "myapp.retunnel.net");
                FrameWriter.WriteStreamOpen(output, new StreamOpening
                {
                    StreamId = 7, TunnelId = "myapp"u8, Mode = StreamMode.Http, Path = "/a?b=1"u8, Headers = headers.Encoded, Method = "GET"u8,
                });
                break;
            case "StreamDataHead": FrameWriter.WriteStreamData(output, 7, Head(headers), DataFraming.Last); break;
            case "StreamDataBody": FrameWriter.WriteStreamData(output, 7, "hello"u8); break;
            case "StreamClose": FrameWriter.WriteStreamClose(output, 7); break;
            case "StreamReset": FrameWriter.WriteStreamReset(output, 7, "buffer overflow"); break;
            case "Error": FrameWriter.WriteError(output, ErrorCodes.Unauthorized, "Invalid auth token"); break;
            case "RawBody": WriteRaw(output, 7, "hello"u8); break;
            case "RawHead":
                var head = new ArrayBufferWriter<byte>();
                ResponseHead.Write(head, 200, headers.Encoded);
                WriteRaw(output, 300, head.WrittenSpan, DataFraming.Last);
                break;
            case "RawCredit": WriteRaw(output, 7, [], credit: 262_144); break;
            case "RawEnd": WriteRaw(output, 7, [], isEnd: true); break;
            default: Assert.Fail(name); break;
        }
    }

    private static byte[] Head(HeaderBlock headers)
    {
        headers.Add("Content-Length", "5");
        var head = new ArrayBufferWriter<byte>();
        ResponseHead.Write(head, 200, headers.Encoded);
        return head.WrittenSpan.ToArray();
    }

    private static void WriteRaw(
        ArrayBufferWriter<byte> output, long id, ReadOnlySpan<byte> bytes, DataFraming framing = DataFraming.Plain, bool isEnd = false, long credit = 0)
    {
        var length = RawFrame.WriteHeader(output.GetSpan(RawFrame.HeaderBytesMax), id, framing, isEnd: isEnd, credit: credit);
        Assert.Equal(RawFrame.HeaderLength(id, credit), length);
        output.Advance(length);
        output.Write(bytes);
    }
}
