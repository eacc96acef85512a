using Mooring.Tunnel.Protocol.MessagePack;

namespace Mooring.Tunnel.Protocol.GenerationB;

/// <summary>Reads frames of generation B: one MessagePack map, or one <see cref="RawFrame"/>, in one WebSocket message.</summary>
internal static class FrameReader
{
    /// <summary>Whether a client's first message begins like a frame of generation B; one of generation A begins with a length.</summary>
    public static bool LooksLikeGenerationB(ReadOnlySpan<byte> message) =>
        !message.IsEmpty && MessagePackFormat.TypeOf(message[0]) == MessagePackType.Map;

    /// <summary>
    /// Reads one message. A receiver skips a frame that cannot be read and goes on: newer peers may send what older ones do not know.
    /// </summary>
    /// <exception cref="TunnelProtocolException">It is no frame, or one of an unknown type.</exception>
    public static FrameView Read(ReadOnlySpan<byte> message)
    {
        if (RawFrame.Is(message)) return RawFrame.Read(message);
        var frame = new FrameView { Version = ProtocolVersion.One };
        var reader = new MessagePackReader(message);
        var type = ReadOnlySpan<byte>.Empty;
        for (var left = reader.ReadMapHeader(); left > 0; left--)
        {
            var key = reader.ReadText();
            if (key.SequenceEqual("Type"u8)) type = reader.ReadText();
            else if (!reader.TryReadNil()) ReadField(key, ref reader, ref frame);
        }
        reader.ExpectEnd();
        frame.Kind = KindOf(type);
        return frame;
    }

    private static FrameKind KindOf(ReadOnlySpan<byte> type) => type switch
    {
        _ when type.SequenceEqual("StreamData"u8) => FrameKind.StreamData,
        _ when type.SequenceEqual("StreamOpen"u8) => FrameKind.StreamOpen,
        _ when type.SequenceEqual("StreamClose"u8) => FrameKind.StreamClose,
        _ when type.SequenceEqual("StreamReset"u8) => FrameKind.StreamReset,
        _ when type.SequenceEqual("Heartbeat"u8) => FrameKind.Heartbeat,
        _ when type.SequenceEqual("HeartbeatAck"u8) => FrameKind.HeartbeatAck,
        _ when type.SequenceEqual("Auth"u8) => FrameKind.Auth,
        _ when type.SequenceEqual("TunnelCreate"u8) => FrameKind.TunnelCreate,
        _ when type.SequenceEqual("TunnelCreated"u8) => FrameKind.TunnelCreated,
        _ when type.SequenceEqual("Error"u8) => FrameKind.Error,
        { IsEmpty: true } => throw new TunnelProtocolException(TunnelProtocolError.MissingType, "the map has no Type"),
        _ => throw new TunnelProtocolException(TunnelProtocolError.UnknownType, FrameView.Text(type[..Math.Min(type.Length, 32)])),
    };

    // Told apart by length first: most frames have few fields, and their lengths differ.
    private static void ReadField(scoped ReadOnlySpan<byte> key, ref MessagePackReader reader, ref FrameView frame)
    {
        switch (key.Length)
        {
            case 3 when key.SequenceEqual("fin"u8): frame.Framing = reader.ReadBoolean() ? DataFraming.Last : DataFraming.More; break;
            case 3 when key.SequenceEqual("eof"u8): frame.IsEnd = reader.ReadBoolean(); break;
            case 3 when key.SequenceEqual("ack"u8): frame.Credit = reader.ReadInt64(0, uint.MaxValue); break;
            case 3 when key.SequenceEqual("tls"u8): frame.IsTls = reader.ReadBoolean(); break;
            case 3 when key.SequenceEqual("url"u8): frame.Url = reader.ReadText(); break;
            case 4 when key.SequenceEqual("data"u8): frame.Bytes = reader.ReadBinary(); break;
            case 4 when key.SequenceEqual("body"u8): frame.Bytes = reader.ReadBinary(); break;
            case 4 when key.SequenceEqual("mode"u8): frame.Mode = ReadMode(ref reader); break;
            case 4 when key.SequenceEqual("path"u8):
                frame.Path = reader.ReadText();
                frame.HasPath = true;
                break;
            case 4 when key.SequenceEqual("auth"u8): ReadAuth(ref reader, ref frame); break;
            case 4 when key.SequenceEqual("caps"u8): frame.Capabilities = CapabilityNames.Read(ref reader); break;
            case 4 when key.SequenceEqual("code"u8): ReadCode(ref reader, ref frame); break;
            case 5 when key.SequenceEqual("token"u8): frame.Token = reader.ReadText(); break;
            case 6 when key.SequenceEqual("method"u8): frame.Method = reader.ReadText(); break;
            case 6 when key.SequenceEqual("window"u8): frame.Window = reader.ReadInt64(0, uint.MaxValue); break;
            case 6 when key.SequenceEqual("reason"u8): frame.Reason = reader.ReadText(); break;
            case 7 when key.SequenceEqual("headers"u8): frame.Headers = reader.ReadRaw(); break;
            case 7 when key.SequenceEqual("version"u8): ReadVersion(ref reader, ref frame); break;
            case 7 when key.SequenceEqual("message"u8): frame.Message = reader.ReadText(); break;
            case 7 when key.SequenceEqual("ws_type"u8): frame.DataKind = ReadDataKind(ref reader); break;
            case 8 when key.SequenceEqual("has_body"u8): frame.HasBody = reader.ReadBoolean(); break;
            case 8 when key.SequenceEqual("protocol"u8): frame.Protocol = reader.ReadText(); break;
            case 8 when key.SequenceEqual("hostname"u8): frame.Hostname = reader.ReadText(); break;
            case 9 when key.SequenceEqual("stream_id"u8): frame.StreamId = reader.ReadInt64(0, long.MaxValue); break;
            case 9 when key.SequenceEqual("tunnel_id"u8): frame.TunnelId = reader.ReadText(); break;
            case 9 when key.SequenceEqual("subdomain"u8): frame.Subdomain = reader.ReadText(); break;
            case 10 when key.SequenceEqual("request_id"u8): frame.RequestId = reader.ReadText(); break;
            case 11 when key.SequenceEqual("client_addr"u8): frame.ClientAddress = reader.ReadText(); break;
            case 11 when key.SequenceEqual("deadline_ms"u8): frame.DeadlineMilliseconds = reader.ReadInt64(0, uint.MaxValue); break;
            case 11 when key.SequenceEqual("remote_port"u8): frame.RemotePort = (int)reader.ReadInt64(0, ushort.MaxValue); break;
            default: reader.ReadRaw(); break;
        }
    }

    private static StreamMode ReadMode(ref MessagePackReader reader)
    {
        var text = reader.ReadText();
        return text switch
        {
            _ when text.SequenceEqual("http"u8) => StreamMode.Http,
            _ when text.SequenceEqual("ws"u8) => StreamMode.WebSocket,
            _ when text.SequenceEqual("tcp"u8) => StreamMode.Tcp,
            _ => throw new TunnelProtocolException(TunnelProtocolError.OutOfRange, "mode is neither http, ws nor tcp"),
        };
    }

    private static DataKind ReadDataKind(ref MessagePackReader reader)
    {
        var text = reader.ReadText();
        return text switch
        {
            _ when text.SequenceEqual("text"u8) => DataKind.Text,
            _ when text.SequenceEqual("binary"u8) => DataKind.Binary,
            _ => throw new TunnelProtocolException(TunnelProtocolError.OutOfRange, "ws_type is neither text nor binary"),
        };
    }

    // TunnelCreate has the password, TunnelCreated says whether it is enforced.
    private static void ReadAuth(ref MessagePackReader reader, ref FrameView frame)
    {
        if (reader.NextType == MessagePackType.Boolean) frame.IsAuthEnforced = reader.ReadBoolean();
        else frame.Auth = reader.ReadText();
    }

    // Error has a name, StreamClose a number.
    private static void ReadCode(ref MessagePackReader reader, ref FrameView frame)
    {
        if (reader.NextType == MessagePackType.Text) frame.Code = reader.ReadText();
        else frame.CloseCode = (int)reader.ReadInt64(0, ushort.MaxValue);
    }

    private static void ReadVersion(ref MessagePackReader reader, ref FrameView frame)
    {
        frame.HasVersion = true;
        if (reader.NextType != MessagePackType.Integer)
        {
            reader.ReadRaw();
            return;
        }
        frame.Version = (int)Math.Clamp(reader.ReadInt64(), ProtocolVersion.One, short.MaxValue);
    }
}
