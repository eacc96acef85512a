using System.Text;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Tests.Codec;

/// <summary>Reads a frame completely, as both ends together would, and renders it for comparison with a vector.</summary>
internal static class PacketDump
{
    internal static string Of(in MqttFrame frame, MqttVersion version)
    {
        switch (frame.Type)
        {
            case MqttPacketType.Connect:
                return Connect(ConnectView.Read(frame));
            case MqttPacketType.ConnAck:
                var connAck = ConnAckView.Read(frame, version);
                return $"ConnAck {(connAck.SessionPresent ? "present " : "")}{connAck.Reason}{Properties(connAck.Properties)}";
            case MqttPacketType.Publish:
                return Publish(PublishView.Read(frame, version));
            case MqttPacketType.PubAck or MqttPacketType.PubRec or MqttPacketType.PubRel or MqttPacketType.PubComp:
                var ack = AckView.Read(frame, version);
                return $"{frame.Type} id={ack.PacketId} {ack.Reason}{Properties(ack.Properties)}";
            case MqttPacketType.Subscribe:
                return Subscribe(SubscribeView.Read(frame, version));
            case MqttPacketType.Unsubscribe:
                var text = new StringBuilder();
                var unsubscribe = UnsubscribeView.Read(frame, version);
                text.Append($"Unsubscribe id={unsubscribe.PacketId}");
                foreach (var filter in unsubscribe)
                {
                    text.Append($" {Text(filter)}");
                }

                return text.ToString();
            case MqttPacketType.SubAck or MqttPacketType.UnsubAck:
                var codes = CodesView.Read(frame, version);
                return $"{frame.Type} id={codes.PacketId}{Properties(codes.Properties)} codes={Convert.ToHexString(codes.Codes)}";
            case MqttPacketType.Disconnect or MqttPacketType.Auth:
                var reason = ReasonView.Read(frame, version, fromClient: true);
                return $"{frame.Type} {reason.Reason}{Properties(reason.Properties)}";
            default:
                EmptyPacket.Read(frame);
                return frame.Type.ToString();
        }
    }

    private static string Connect(ConnectView view)
    {
        var will = view.HasWill
            ? $" will={Text(view.WillTopic)}:{Convert.ToHexString(view.WillPayload)}:q{(int)view.WillQualityOfService}{(view.WillRetain ? "r" : "")}"
            : "";
        return $"Connect {view.Version}{(view.CleanStart ? " clean" : "")} keep={view.KeepAliveSeconds} id={Text(view.ClientId)}"
            + Properties(view.Properties) + will + (view.HasUserName ? $" user={Text(view.UserName)}" : "")
            + (view.HasPassword ? $" password={Convert.ToHexString(view.Password)}" : "");
    }

    private static string Publish(PublishView view) =>
        $"Publish q{(int)view.QualityOfService}{(view.Duplicate ? " dup" : "")}{(view.Retain ? " retain" : "")} topic={Text(view.Topic)}"
        + (view.PacketId == 0 ? "" : $" id={view.PacketId}") + Properties(view.Properties)
        + $" payload={Convert.ToHexString(view.Payload)}";

    private static string Subscribe(SubscribeView view)
    {
        var text = new StringBuilder($"Subscribe id={view.PacketId}{Properties(view.Properties)}");
        foreach (var request in view)
        {
            text.Append($" {Text(request.Filter)}:{request.Options:X2}");
        }

        return text.ToString();
    }

    private static string Properties(PropertyBlock block) =>
        block.IsEmpty ? "" : $" props={Convert.ToHexString(block.Raw)}";

    private static string Text(ReadOnlySpan<byte> utf8)
    {
        foreach (var value in utf8)
        {
            if (value is < 0x21 or > 0x7E)
            {
                return Convert.ToHexString(utf8);
            }
        }

        return Encoding.ASCII.GetString(utf8);
    }
}
