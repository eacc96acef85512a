namespace Mooring.Mqtt.Codec;

/// <summary>Control packet types, the high half of the first byte (MQTT-2.1.2).</summary>
internal enum MqttPacketType : byte
{
    /// <summary>Type 0 does not exist on the wire; in property tables it stands for the will inside CONNECT.</summary>
    Will = 0,
    Connect = 1,
    ConnAck = 2,
    Publish = 3,
    PubAck = 4,
    PubRec = 5,
    PubRel = 6,
    PubComp = 7,
    Subscribe = 8,
    SubAck = 9,
    Unsubscribe = 10,
    UnsubAck = 11,
    PingReq = 12,
    PingResp = 13,
    Disconnect = 14,
    Auth = 15,
}
