namespace Mooring.Mqtt.Codec;

/// <summary>Which code may stand in which packet (MQTT-2.4, table 2-6), and the 3.1.1 equals of CONNACK codes.</summary>
internal static class ReasonCodes
{
    private const uint ConnAck = 1 << (int)MqttPacketType.ConnAck;
    private const uint PubAckRec = (1 << (int)MqttPacketType.PubAck) | (1 << (int)MqttPacketType.PubRec);
    private const uint PubRelComp = (1 << (int)MqttPacketType.PubRel) | (1 << (int)MqttPacketType.PubComp);
    private const uint SubAck = 1 << (int)MqttPacketType.SubAck;
    private const uint UnsubAck = 1 << (int)MqttPacketType.UnsubAck;
    private const uint Disconnect = 1 << (int)MqttPacketType.Disconnect;
    private const uint Auth = 1u << (int)MqttPacketType.Auth;

    /// <summary>Codes that only a server may put into DISCONNECT.</summary>
    private static readonly HashSet<byte> ServerDisconnectOnly =
    [
        0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
    ];

    private static readonly uint[] AllowedIn = BuildTable();

    internal static bool IsFailure(this MqttReasonCode code) => (byte)code >= 0x80;

    internal static bool IsAllowed(MqttPacketType packet, byte code) => (AllowedIn[code] & (1u << (int)packet)) != 0;

    internal static bool IsAllowedInClientDisconnect(byte code) =>
        IsAllowed(MqttPacketType.Disconnect, code) && !ServerDisconnectOnly.Contains(code);

    /// <summary>CONNACK return code of 3.1.1 (MQTT-3.2.2.3) for a 5.0 reason code.</summary>
    internal static byte ToVersion3(MqttReasonCode code) => code switch
    {
        MqttReasonCode.Success => 0,
        MqttReasonCode.UnsupportedProtocolVersion => 1,
        MqttReasonCode.ClientIdentifierNotValid => 2,
        MqttReasonCode.ServerBusy or MqttReasonCode.ServerUnavailable or MqttReasonCode.ConnectionRateExceeded => 3,
        _ => 5,
    };

    /// <summary>The 5.0 equal of a 3.1.1 CONNACK return code.</summary>
    internal static MqttReasonCode FromVersion3(byte returnCode) => returnCode switch
    {
        0 => MqttReasonCode.Success,
        1 => MqttReasonCode.UnsupportedProtocolVersion,
        2 => MqttReasonCode.ClientIdentifierNotValid,
        3 => MqttReasonCode.ServerUnavailable,
        4 => MqttReasonCode.BadUserNameOrPassword,
        5 => MqttReasonCode.NotAuthorized,
        _ => MqttReasonCode.UnspecifiedError,
    };

    private static uint[] BuildTable()
    {
        var table = new uint[256];
        table[0x00] = ConnAck | PubAckRec | PubRelComp | SubAck | UnsubAck | Disconnect | Auth;
        table[0x01] = table[0x02] = SubAck;
        table[0x04] = Disconnect;
        table[0x10] = PubAckRec;
        table[0x11] = UnsubAck;
        table[0x18] = table[0x19] = Auth;
        table[0x80] = table[0x83] = ConnAck | PubAckRec | SubAck | UnsubAck | Disconnect;
        table[0x81] = table[0x82] = ConnAck | Disconnect;
        table[0x84] = table[0x85] = table[0x86] = table[0x88] = table[0x8A] = ConnAck;
        table[0x87] = ConnAck | PubAckRec | SubAck | UnsubAck | Disconnect;
        table[0x89] = table[0x8C] = ConnAck | Disconnect;
        table[0x8B] = table[0x8D] = table[0x8E] = Disconnect;
        table[0x8F] = SubAck | UnsubAck | Disconnect;
        table[0x90] = ConnAck | PubAckRec | Disconnect;
        table[0x91] = PubAckRec | SubAck | UnsubAck;
        table[0x92] = PubRelComp;
        table[0x93] = table[0x94] = table[0x96] = table[0x98] = Disconnect;
        table[0x95] = ConnAck | Disconnect;
        table[0x97] = ConnAck | PubAckRec | SubAck | Disconnect;
        table[0x99] = ConnAck | PubAckRec | Disconnect;
        table[0x9A] = table[0x9B] = table[0x9C] = table[0x9D] = table[0x9F] = ConnAck | Disconnect;
        table[0x9E] = table[0xA1] = table[0xA2] = SubAck | Disconnect;
        table[0xA0] = Disconnect;
        return table;
    }
}
