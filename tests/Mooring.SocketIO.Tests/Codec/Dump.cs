using System.Globalization;
using System.Text;
using Mooring.SocketIO.Codec;

namespace Mooring.SocketIO.Tests.Codec;

/// <summary>Bytes as a line of text: what they are, or ! and what is wrong with them.</summary>
internal static class Dump
{
    public static string Packet(byte[] frame) => Guarded(() =>
    {
        var packet = SocketIOCodec.Read(frame);
        var text = new StringBuilder(packet.Type.ToString());
        if (packet.Type is SocketIOPacketType.BinaryEvent or SocketIOPacketType.BinaryAck)
            text.Append(CultureInfo.InvariantCulture, $" att={packet.AttachmentCount}");
        if (!packet.Namespace.IsEmpty) text.Append(" nsp=").Append(Text(packet.Namespace.Of(frame)));
        if (packet.Id is { } id) text.Append(CultureInfo.InvariantCulture, $" id={id}");
        var payload = packet.Payload.Of(frame);
        if (packet.Type == SocketIOPacketType.Connect) SocketIOPayload.CheckConnect(payload);
        if (packet.Type == SocketIOPacketType.ConnectError) SocketIOPayload.CheckConnectError(payload);
        if (!packet.IsEvent && !packet.IsAck)
        {
            if (!payload.IsEmpty) text.Append(' ').Append(Text(payload));
            return text.ToString();
        }
        var arguments = new Slice[2];
        var count = SocketIOPayload.Cut(frame, packet.Payload, ref arguments);
        if (packet.IsEvent)
        {
            if (count == 0) throw new SocketIOProtocolException(SocketIOProtocolError.BadEventName, "no name");
            SocketIOPayload.GetName(frame, arguments[0]);
        }
        if (count > 0) text.Append(' ').AppendJoin('|', arguments.Take(count).Select(a => Text(a.Of(frame))));
        return text.ToString();
    });

    public static string Payload(byte[] body) => Guarded(() =>
    {
        EngineIOCodec.CheckPayload(body);
        var packets = new List<string>();
        ReadOnlySpan<byte> rest = body;
        while (EngineIOCodec.TryTakePacket(ref rest, out var packet))
        {
            if (EngineIOCodec.IsBinary(packet))
            {
                var bytes = new byte[EngineIOCodec.BinaryLengthMax(packet)];
                var length = EngineIOCodec.ReadBinary(packet, bytes);
                packets.Add(("Binary " + Convert.ToHexString(bytes, 0, length)).TrimEnd());
            }
            else packets.Add((EngineIOCodec.ReadPacket(packet) + " " + Text(packet[1..])).TrimEnd());
        }
        return string.Join('|', packets);
    });

    public static string Handshake(byte[] body) => Guarded(() =>
    {
        var open = EngineIOHandshake.Read(body);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{open.SessionId} {(open.OffersWebSocket ? "ws" : "-")} {open.PingInterval.TotalMilliseconds} {open.PingTimeout.TotalMilliseconds} {open.MaxPayload}");
    });

    private static string Text(ReadOnlySpan<byte> utf8) => Encoding.UTF8.GetString(utf8);

    private static string Guarded(Func<string> dump)
    {
        try
        {
            return dump();
        }
        catch (SocketIOProtocolException e)
        {
            return "!" + e.Error;
        }
    }
}
