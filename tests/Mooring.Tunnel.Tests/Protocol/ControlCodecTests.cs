using System.Buffers;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.GenerationA;
using Mooring.Tunnel.Protocol.MessagePack;

namespace Mooring.Tunnel.Tests.Protocol;

public sealed class ControlCodecTests
{
    private const string ReqId = "req-gixmuqx9";

    private static readonly byte[] s_request = ProxyCodec.Write(new ProxyRequest("GET", "/x", "a=1", [new("Host", "keep.t.test")], default));
    private static readonly byte[] s_reply = ProxyCodec.Write(new ProxyResponse(200, [new("Content-Length", "5")], "hello"u8.ToArray()));

    private static readonly Dictionary<string, ControlMessage> s_messages = new(StringComparer.Ordinal)
    {
        ["Ping"] = new ControlMessage.Ping(),
        ["Pong"] = new ControlMessage.Pong(),
        ["ReqProxy"] = new ControlMessage.ReqProxy(),
        ["RegProxy"] = new ControlMessage.RegProxy("srv-client-geejs5bni7jx"),
        ["Auth"] = new ControlMessage.Auth("client-geejs5bni7jx", "linux", "x86_64", "2.3.40", "2.3", "tok123456", ""),
        ["ReqTunnel"] = new ControlMessage.ReqTunnel(ReqId, "http", "", "", "", 0),
        ["Heartbeat"] = new ControlMessage.Heartbeat("keep", BitConverter.UInt64BitsToDouble(0x41DAC035203D9833)),
        ["AuthRespOk"] = new ControlMessage.AuthResp("srv-1", "2.3.40", "2.3", null),
        ["AuthRespNo"] = new ControlMessage.AuthResp(null, null, null, "Invalid auth token"),
        ["NewTunnel"] = new ControlMessage.NewTunnel(ReqId, "https://keep.t.test", "http", "keep", null, null),
        ["ErrorResp"] = new ControlMessage.ErrorResp(ReqId, "OVER_CAPACITY", "full"),
        ["StartProxy"] = new ControlMessage.StartProxy("https://keep.t.test", "192.0.2.7:50000", "req-abcd2345"),
    };

    public static TheoryData<string> Names => [.. Vectors.GenerationA.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Item6_7_9_11_12_Vector_IsWhatIsWrittenAndWhatIsRead(string name)
    {
        var bytes = Vectors.GenerationA[name];
        if (name.StartsWith("Proxy", StringComparison.Ordinal))
        {
            var content = name == "ProxyRequest" ? s_request : s_reply;
            Assert.Equal(bytes, Written(new ControlMessage.Proxy(content)));
            Assert.Equal(content, Assert.IsType<ControlMessage.Proxy>(ControlCodec.Read(bytes)).Content.ToArray());
            return;
        }
        Assert.Equal(bytes, Written(s_messages[name]));
        Assert.Equal(s_messages[name], ControlCodec.Read(bytes));
        Assert.Equal(s_messages[name], ControlCodec.Read(bytes.AsSpan(8)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void EveryCut_IsANamedError(string name)
    {
        var bytes = Vectors.GenerationA[name];
        for (var cut = 0; cut < bytes.Length; cut++)
            Assert.Throws<TunnelProtocolException>(() => ControlCodec.Read(bytes.AsSpan(0, cut)));
    }

    [Fact]
    public void ProxyRequest_IsReadBack()
    {
        var request = ProxyCodec.ReadRequest(s_request);
        Assert.Equal(("GET", "/x", "a=1"), (request.Method, request.Path, request.Query));
        Assert.Equal(new KeyValuePair<string, string>("Host", "keep.t.test"), Assert.Single(request.Headers));
        Assert.True(request.Body.IsEmpty);
    }

    [Fact]
    public void ProxyRequest_WithoutFields_HasDefaults()
    {
        var request = ProxyCodec.ReadRequest(new byte[] { 0x80 });
        Assert.Equal(("GET", "/", ""), (request.Method, request.Path, request.Query));
    }

    [Fact]
    public void ProxyResponse_IsReadBack()
    {
        var response = ProxyCodec.ReadResponse(s_reply);
        Assert.Equal(200, response.Status);
        Assert.Equal("hello"u8.ToArray(), response.Body.ToArray());
    }

    [Theory]
    [InlineData("80")]
    [InlineData("81A67374617475735C")]
    [InlineData("81A6737461747573A3323030")]
    public void ProxyResponse_WithoutASensibleStatus_IsRefused(string hex) =>
        Assert.Throws<TunnelProtocolException>(() => ProxyCodec.ReadResponse(Convert.FromHexString(hex)));

    [Fact]
    public void Item10_UnknownKeys_AreIgnored_AndLowerCaseTypeIsAccepted()
    {
        var message = Map(("type", "ErrorResp"), ("Colour", "red"), ("ErrorCode", "X"), ("Message", "y"));
        Assert.Equal(new ControlMessage.ErrorResp(null, "X", "y"), ControlCodec.Read(message));
    }

    [Fact]
    public void ErrorResp_TakesItsIdFromThePayload()
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(2);
        writer.WriteText("Type");
        writer.WriteText("ErrorResp");
        writer.WriteText("Payload");
        writer.WriteMapHeader(1);
        writer.WriteText("req_id");
        writer.WriteText(ReqId);
        Assert.Equal(new ControlMessage.ErrorResp(ReqId, null, null), ControlCodec.Read(output.WrittenSpan));
    }

    [Fact]
    public void Item8_MissingOrUnknownType_IsRefused()
    {
        Assert.Equal(TunnelProtocolError.MissingType,
            Assert.Throws<TunnelProtocolException>(() => ControlCodec.Read(Map(("ClientId", "x")))).Error);
        Assert.Equal(TunnelProtocolError.UnknownType,
            Assert.Throws<TunnelProtocolException>(() => ControlCodec.Read(Map(("Type", "Teapot")))).Error);
    }

    private static byte[] Written(ControlMessage message)
    {
        var output = new ArrayBufferWriter<byte>();
        ControlCodec.Write(output, message);
        return output.WrittenSpan.ToArray();
    }

    private static byte[] Map(params (string Key, string Value)[] fields)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(fields.Length);
        foreach (var (key, value) in fields)
        {
            writer.WriteText(key);
            writer.WriteText(value);
        }
        return output.WrittenSpan.ToArray();
    }
}
