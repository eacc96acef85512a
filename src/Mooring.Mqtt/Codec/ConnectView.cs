namespace Mooring.Mqtt.Codec;

/// <summary>CONNECT (MQTT-3.1).</summary>
/// <remarks>
/// Layout: protocol name (string), level, flags, keep-alive (u16), properties (5.0); then client identifier, will properties (5.0),
/// will topic, will payload, user name, password, each as far as the flags say.
/// </remarks>
internal ref struct ConnectView
{
    private const byte CleanStartFlag = 0x02;
    private const byte WillFlag = 0x04;
    private const byte WillRetainFlag = 0x20;
    private const byte PasswordFlag = 0x40;
    private const byte UserNameFlag = 0x80;

    internal MqttVersion Version { get; private set; }

    /// <summary>Clean session (3.1.1) or clean start (5.0).</summary>
    internal bool CleanStart { get; private set; }

    internal ushort KeepAliveSeconds { get; private set; }

    internal PropertyBlock Properties { get; private set; }

    internal ReadOnlySpan<byte> ClientId { get; private set; }

    internal bool HasWill { get; private set; }

    internal QualityOfService WillQualityOfService { get; private set; }

    internal bool WillRetain { get; private set; }

    internal PropertyBlock WillProperties { get; private set; }

    internal ReadOnlySpan<byte> WillTopic { get; private set; }

    internal ReadOnlySpan<byte> WillPayload { get; private set; }

    internal bool HasUserName { get; private set; }

    internal ReadOnlySpan<byte> UserName { get; private set; }

    internal bool HasPassword { get; private set; }

    internal ReadOnlySpan<byte> Password { get; private set; }

    /// <exception cref="MqttProtocolException">
    /// <see cref="MqttReasonCode.UnsupportedProtocolVersion"/> when the name is right and the level is not; the caller answers in the
    /// form that <see cref="RequestedLevel"/> asks for.
    /// </exception>
    internal static ConnectView Read(scoped in MqttFrame frame)
    {
        var fields = new FieldReader(frame.Body);
        var view = new ConnectView { Version = ReadVersion(ref fields) };
        var flags = fields.ReadByte();
        CheckFlags(flags, view.Version);
        view.CleanStart = (flags & CleanStartFlag) != 0;
        view.KeepAliveSeconds = fields.ReadUInt16();
        if (view.Version == MqttVersion.V500)
        {
            view.Properties = fields.ReadProperties(MqttPacketType.Connect);
        }

        view.ClientId = fields.ReadString();
        if ((flags & WillFlag) != 0)
        {
            view.ReadWill(ref fields, flags);
        }

        view.HasUserName = (flags & UserNameFlag) != 0;
        view.UserName = view.HasUserName ? fields.ReadString() : default;
        view.HasPassword = (flags & PasswordFlag) != 0;
        view.Password = view.HasPassword ? fields.ReadBinary() : default;
        fields.ExpectEnd();
        return view;
    }

    /// <summary>The level byte of a CONNECT that names "MQTT", or null: decides in which form a refusal is written.</summary>
    internal static byte? RequestedLevel(in MqttFrame frame) =>
        frame.Type == MqttPacketType.Connect && frame.Body.Length > 6 && frame.Body[..6].SequenceEqual("\0\u0004MQTT"u8)
            ? frame.Body[6]
            : null;

    private static MqttVersion ReadVersion(ref FieldReader fields)
    {
        var name = fields.ReadBinary();
        var level = fields.ReadByte();
        if (name.SequenceEqual("MQIsdp"u8) && level == (byte)MqttVersion.V310)
        {
            return MqttVersion.V310;
        }

        if (!name.SequenceEqual("MQTT"u8))
        {
            MqttProtocolException.ThrowMalformed("the protocol name is not MQTT");
        }

        if (level is not ((byte)MqttVersion.V311 or (byte)MqttVersion.V500))
        {
            MqttProtocolException.Throw(
                MqttReasonCode.UnsupportedProtocolVersion, $"protocol level {level}; 4 (3.1.1) and 5 (5.0) are supported");
        }

        return (MqttVersion)level;
    }

    private static void CheckFlags(byte flags, MqttVersion version)
    {
        // Bit 0 is reserved (MQTT-3.1.2-3); 3.1 left it to the sender.
        if ((flags & 0x01) != 0 && version != MqttVersion.V310)
        {
            MqttProtocolException.ThrowMalformed("the reserved CONNECT flag is set");
        }

        var willQoS = (flags >> 3) & 0x03;
        var willBits = willQoS != 0 || (flags & WillRetainFlag) != 0;
        if (willQoS == 3 || ((flags & WillFlag) == 0 && willBits))
        {
            MqttProtocolException.ThrowMalformed("will QoS 3, or will QoS and retain without a will");
        }

        // 3.1.1: a password needs a user name (MQTT-3.1.2-22).
        if (version != MqttVersion.V500 && (flags & (UserNameFlag | PasswordFlag)) == PasswordFlag)
        {
            MqttProtocolException.ThrowMalformed("a password without a user name");
        }
    }

    private void ReadWill(ref FieldReader fields, byte flags)
    {
        HasWill = true;
        WillQualityOfService = (QualityOfService)((flags >> 3) & 0x03);
        WillRetain = (flags & WillRetainFlag) != 0;
        if (Version == MqttVersion.V500)
        {
            WillProperties = fields.ReadProperties(MqttPacketType.Will);
        }

        WillTopic = fields.ReadString();
        WillPayload = fields.ReadBinary();
    }
}
