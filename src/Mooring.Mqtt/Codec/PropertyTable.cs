namespace Mooring.Mqtt.Codec;

internal enum PropertyType : byte
{
    Unknown,
    Byte,
    UInt16,
    UInt32,
    VariableByteInteger,
    Text,
    Binary,
    TextPair,
}

/// <summary>Type of each property, the packets it may stand in, and the range of its number (MQTT-2.2.2.2, table 2-4).</summary>
internal static class PropertyTable
{
    private const int Count = 0x2B;

    private static readonly Entry[] Entries = Build();

    internal static PropertyType TypeOf(byte id) => id < Count ? Entries[id].Type : PropertyType.Unknown;

    internal static bool IsAllowed(byte id, MqttPacketType packet) => (Entries[id].Packets & (1u << (int)packet)) != 0;

    internal static bool IsInRange(byte id, uint value) => value >= Entries[id].Minimum && value <= Entries[id].Maximum;

    /// <summary>User properties may repeat everywhere, subscription identifiers in a PUBLISH to a client.</summary>
    internal static bool MayRepeat(PropertyId id, MqttPacketType packet) =>
        id == PropertyId.UserProperty
        || (id == PropertyId.SubscriptionIdentifier && packet == MqttPacketType.Publish);

    private static Entry[] Build()
    {
        var table = new Entry[Count];
        void Add(PropertyId id, PropertyType type, uint minimum, uint maximum, params ReadOnlySpan<MqttPacketType> packets)
        {
            var set = 0u;
            foreach (var packet in packets)
            {
                set |= 1u << (int)packet;
            }

            table[(int)id] = new Entry(type, set, minimum, maximum);
        }

        const MqttPacketType will = MqttPacketType.Will;
        const MqttPacketType connect = MqttPacketType.Connect;
        const MqttPacketType connAck = MqttPacketType.ConnAck;
        const MqttPacketType publish = MqttPacketType.Publish;
        const MqttPacketType subscribe = MqttPacketType.Subscribe;
        const MqttPacketType disconnect = MqttPacketType.Disconnect;
        const MqttPacketType auth = MqttPacketType.Auth;
        const uint any = uint.MaxValue;

        Add(PropertyId.PayloadFormatIndicator, PropertyType.Byte, 0, 1, publish, will);
        Add(PropertyId.MessageExpiryInterval, PropertyType.UInt32, 0, any, publish, will);
        Add(PropertyId.ContentType, PropertyType.Text, 0, any, publish, will);
        Add(PropertyId.ResponseTopic, PropertyType.Text, 0, any, publish, will);
        Add(PropertyId.CorrelationData, PropertyType.Binary, 0, any, publish, will);
        Add(PropertyId.SubscriptionIdentifier, PropertyType.VariableByteInteger, 1, VariableByteInteger.Maximum, publish, subscribe);
        Add(PropertyId.SessionExpiryInterval, PropertyType.UInt32, 0, any, connect, connAck, disconnect);
        Add(PropertyId.AssignedClientIdentifier, PropertyType.Text, 0, any, connAck);
        Add(PropertyId.ServerKeepAlive, PropertyType.UInt16, 0, any, connAck);
        Add(PropertyId.AuthenticationMethod, PropertyType.Text, 0, any, connect, connAck, auth);
        Add(PropertyId.AuthenticationData, PropertyType.Binary, 0, any, connect, connAck, auth);
        Add(PropertyId.RequestProblemInformation, PropertyType.Byte, 0, 1, connect);
        Add(PropertyId.WillDelayInterval, PropertyType.UInt32, 0, any, will);
        Add(PropertyId.RequestResponseInformation, PropertyType.Byte, 0, 1, connect);
        Add(PropertyId.ResponseInformation, PropertyType.Text, 0, any, connAck);
        Add(PropertyId.ServerReference, PropertyType.Text, 0, any, connAck, disconnect);
        Add(PropertyId.ReasonString, PropertyType.Text, 0, any, connAck, MqttPacketType.PubAck, MqttPacketType.PubRec,
            MqttPacketType.PubRel, MqttPacketType.PubComp, MqttPacketType.SubAck, MqttPacketType.UnsubAck, disconnect, auth);
        Add(PropertyId.ReceiveMaximum, PropertyType.UInt16, 1, any, connect, connAck);
        Add(PropertyId.TopicAliasMaximum, PropertyType.UInt16, 0, any, connect, connAck);
        // 0 is judged by the receiver, which answers 0x94 (MQTT-3.3.2-8).
        Add(PropertyId.TopicAlias, PropertyType.UInt16, 0, any, publish);
        Add(PropertyId.MaximumQoS, PropertyType.Byte, 0, 1, connAck);
        Add(PropertyId.RetainAvailable, PropertyType.Byte, 0, 1, connAck);
        Add(PropertyId.UserProperty, PropertyType.TextPair, 0, any, will, connect, connAck, publish, MqttPacketType.PubAck,
            MqttPacketType.PubRec, MqttPacketType.PubRel, MqttPacketType.PubComp, subscribe, MqttPacketType.SubAck,
            MqttPacketType.Unsubscribe, MqttPacketType.UnsubAck, disconnect, auth);
        Add(PropertyId.MaximumPacketSize, PropertyType.UInt32, 1, any, connect, connAck);
        Add(PropertyId.WildcardSubscriptionAvailable, PropertyType.Byte, 0, 1, connAck);
        Add(PropertyId.SubscriptionIdentifiersAvailable, PropertyType.Byte, 0, 1, connAck);
        Add(PropertyId.SharedSubscriptionAvailable, PropertyType.Byte, 0, 1, connAck);
        return table;
    }

    private readonly record struct Entry(PropertyType Type, uint Packets, uint Minimum, uint Maximum);
}
