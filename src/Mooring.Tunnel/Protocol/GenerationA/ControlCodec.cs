using System.Buffers;
using System.Buffers.Binary;
using Mooring.Tunnel.Protocol.MessagePack;

namespace Mooring.Tunnel.Protocol.GenerationA;

/// <summary>
/// Messages of generation A: <c>length(8, big-endian) map</c> in one WebSocket message. Readers accept a message without the
/// length, any order of keys, keys they do not know, and <c>type</c> and <c>payload</c> in lower case.
/// </summary>
internal static class ControlCodec
{
    private const int PrefixBytes = 8;

    /// <summary>Reads one WebSocket message.</summary>
    /// <exception cref="TunnelProtocolException">It is no message of this generation.</exception>
    public static ControlMessage Read(ReadOnlySpan<byte> message)
    {
        var fields = new ControlFields();
        var reader = new MessagePackReader(WithoutPrefix(message));
        fields.Read(ref reader);
        reader.ExpectEnd();
        return fields.Type switch
        {
            "Auth" => new ControlMessage.Auth(
                fields.ClientId, fields.Os, fields.Arch, fields.Version, fields.MmVersion, fields.User, fields.Password),
            "AuthResp" => new ControlMessage.AuthResp(fields.ClientId, fields.Version, fields.MmVersion, fields.Error),
            "ReqTunnel" => new ControlMessage.ReqTunnel(
                fields.ReqId, fields.Protocol, fields.Hostname, fields.Subdomain, fields.HttpAuth, fields.RemotePort),
            "NewTunnel" => new ControlMessage.NewTunnel(
                fields.ReqId, fields.Url, fields.Protocol, fields.Subdomain, fields.TunnelId, fields.Error),
            "ErrorResp" => new ControlMessage.ErrorResp(fields.ReqId, fields.Code, fields.Message),
            "ReqProxy" => new ControlMessage.ReqProxy(),
            "RegProxy" => new ControlMessage.RegProxy(fields.ClientId),
            "StartProxy" => new ControlMessage.StartProxy(fields.Url, fields.ClientAddr, fields.RequestId),
            "Proxy" => new ControlMessage.Proxy(fields.Content),
            "Ping" => new ControlMessage.Ping(),
            "Pong" => new ControlMessage.Pong(),
            "Heartbeat" => new ControlMessage.Heartbeat(fields.Subdomain, fields.Timestamp),
            null => throw new TunnelProtocolException(TunnelProtocolError.MissingType, "the map has no Type"),
            var other => throw new TunnelProtocolException(TunnelProtocolError.UnknownType, other.Length > 32 ? other[..32] : other),
        };
    }

    /// <summary>Writes one WebSocket message, length first.</summary>
    public static void Write(IBufferWriter<byte> output, ControlMessage message)
    {
        var body = new ArrayBufferWriter<byte>(256);
        WriteMap(new MessagePackWriter(body), message);
        BinaryPrimitives.WriteUInt64BigEndian(output.GetSpan(PrefixBytes), (ulong)body.WrittenCount);
        output.Advance(PrefixBytes);
        output.Write(body.WrittenSpan);
    }

    /// <summary>The map without its length, when the first eight bytes are its length.</summary>
    internal static ReadOnlySpan<byte> WithoutPrefix(ReadOnlySpan<byte> message) =>
        message.Length >= PrefixBytes && BinaryPrimitives.ReadUInt64BigEndian(message) == (ulong)(message.Length - PrefixBytes)
            ? message[PrefixBytes..]
            : message;

    private static void WriteMap(MessagePackWriter writer, ControlMessage message)
    {
        switch (message)
        {
            case ControlMessage.Auth m:
                WriteTexts(writer, "Auth", [
                    ("ClientId", m.ClientId), ("OS", m.Os), ("Arch", m.Arch), ("Version", m.Version), ("MmVersion", m.MmVersion),
                    ("User", m.User), ("Password", m.Password)]);
                break;
            case ControlMessage.AuthResp m:
                WriteTexts(writer, "AuthResp", [
                    ("ClientId", m.ClientId), ("Version", m.Version), ("MmVersion", m.MmVersion), ("Error", m.Error)]);
                break;
            case ControlMessage.ReqTunnel m:
                WriteTexts(writer, "ReqTunnel", [
                    ("ReqId", m.ReqId), ("Protocol", m.Protocol), ("Hostname", m.Hostname), ("Subdomain", m.Subdomain),
                    ("HttpAuth", m.HttpAuth)], more: 1);
                writer.WriteText("RemotePort"u8);
                writer.WriteInt64(m.RemotePort);
                break;
            case ControlMessage.NewTunnel m:
                WriteTexts(writer, "NewTunnel", [
                    ("ReqId", m.ReqId), ("Url", m.Url), ("Protocol", m.Protocol), ("Subdomain", m.Subdomain),
                    ("TunnelId", m.TunnelId), ("Error", m.Error)]);
                break;
            case ControlMessage.ErrorResp m:
                WriteTexts(writer, "ErrorResp", [
                    ("ReqId", m.ReqId), ("error_code", m.Code), ("ErrorCode", m.Code), ("message", m.Message), ("Message", m.Message)]);
                break;
            case ControlMessage.RegProxy m:
                WriteTexts(writer, "RegProxy", [("ClientId", m.ClientId)]);
                break;
            case ControlMessage.StartProxy m:
                WriteTexts(writer, "StartProxy", [("Url", m.Url), ("ClientAddr", m.ClientAddr), ("RequestId", m.RequestId)]);
                break;
            case ControlMessage.Proxy m:
                WriteTexts(writer, "Proxy", [], more: 1);
                writer.WriteText("data"u8);
                writer.WriteBinary(m.Content.Span);
                break;
            case ControlMessage.Heartbeat m:
                WriteTexts(writer, "Heartbeat", [("Subdomain", m.Subdomain)], more: 1);
                writer.WriteText("Timestamp"u8);
                writer.WriteDouble(m.Timestamp);
                break;
            default:
                WriteTexts(writer, message switch
                {
                    ControlMessage.ReqProxy => "ReqProxy",
                    ControlMessage.Ping => "Ping",
                    _ => "Pong",
                }, []);
                break;
        }
    }

    private static void WriteTexts(
        MessagePackWriter writer, string type, ReadOnlySpan<(string Name, string? Value)> fields, int more = 0)
    {
        var count = 1 + more;
        foreach (var (_, value) in fields) count += value is null ? 0 : 1;
        writer.WriteMapHeader(count);
        writer.WriteText("Type"u8);
        writer.WriteText(type);
        foreach (var (name, value) in fields)
        {
            if (value is null) continue;
            writer.WriteText(name);
            writer.WriteText(value);
        }
    }
}
