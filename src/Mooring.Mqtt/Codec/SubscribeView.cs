namespace Mooring.Mqtt.Codec;

/// <summary>SUBSCRIBE (MQTT-3.8). Layout: packet identifier, properties (5.0), then filter (string) and options byte, once or more.</summary>
internal readonly ref struct SubscribeView
{
    private readonly ReadOnlySpan<byte> _filters;
    private readonly MqttVersion _version;

    private SubscribeView(ushort packetId, PropertyBlock properties, ReadOnlySpan<byte> filters, MqttVersion version)
    {
        PacketId = packetId;
        Properties = properties;
        _filters = filters;
        _version = version;
    }

    internal ushort PacketId { get; }

    internal PropertyBlock Properties { get; }

    internal static SubscribeView Read(in MqttFrame frame, MqttVersion version)
    {
        var fields = new FieldReader(frame.Body);
        var packetId = fields.ReadPacketId();
        var properties = version == MqttVersion.V500 ? fields.ReadProperties(MqttPacketType.Subscribe) : default;
        if (fields.IsAtEnd)
        {
            MqttProtocolException.ThrowProtocolError("SUBSCRIBE without a filter");
        }

        var view = new SubscribeView(packetId, properties, fields.Rest, version);
        foreach (var _ in view)
        {
            // The walk validates every filter, so that the caller acts on all of the packet or on nothing of it.
        }

        return view;
    }

    public Enumerator GetEnumerator() => new(_filters, _version);

    /// <summary>One filter with its options, and the filters after it.</summary>
    internal ref struct Enumerator(ReadOnlySpan<byte> filters, MqttVersion version)
    {
        private FieldReader _fields = new(filters);

        public SubscriptionRequest Current { get; private set; }

        public bool MoveNext()
        {
            if (_fields.IsAtEnd)
            {
                return false;
            }

            var filter = _fields.ReadString();
            if (!TopicFilter.IsValid(filter) || !TopicFilter.TrySplitShare(filter, out var share, out _))
            {
                MqttProtocolException.ThrowMalformed("a topic filter is not valid");
                return false;
            }

            var options = _fields.ReadByte();
            // 3.1.1: bits 2-7 are reserved; 5.0: bits 6-7 are (MQTT-3.8.3-5).
            var reserved = version == MqttVersion.V500 ? 0xC0 : 0xFC;
            if ((options & reserved) != 0 || (options & 0x03) == 0x03 || (options & 0x30) == 0x30)
            {
                MqttProtocolException.ThrowMalformed($"subscription options 0x{options:X2}");
            }

            Current = new SubscriptionRequest(filter, options);
            if (Current.NoLocal && !share.IsEmpty)
            {
                MqttProtocolException.ThrowProtocolError("No Local on a shared subscription");
            }

            return true;
        }
    }
}

/// <summary>One entry of SUBSCRIBE (MQTT-3.8.3.1).</summary>
internal readonly ref struct SubscriptionRequest(ReadOnlySpan<byte> filter, byte options)
{
    /// <summary>The filter as sent, share prefix included.</summary>
    internal ReadOnlySpan<byte> Filter { get; } = filter;

    internal byte Options { get; } = options;

    internal QualityOfService MaximumQualityOfService => (QualityOfService)(Options & 0x03);

    internal bool NoLocal => (Options & 0x04) != 0;

    internal bool RetainAsPublished => (Options & 0x08) != 0;

    internal RetainHandling RetainHandling => (RetainHandling)((Options >> 4) & 0x03);
}
