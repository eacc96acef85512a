namespace Mooring.Mqtt.Codec;

/// <summary>UNSUBSCRIBE (MQTT-3.10). Layout: packet identifier, properties (5.0), then filters (strings), once or more.</summary>
internal readonly ref struct UnsubscribeView
{
    private readonly ReadOnlySpan<byte> _filters;

    private UnsubscribeView(ushort packetId, ReadOnlySpan<byte> filters)
    {
        PacketId = packetId;
        _filters = filters;
    }

    internal ushort PacketId { get; }

    internal static UnsubscribeView Read(in MqttFrame frame, MqttVersion version)
    {
        var fields = new FieldReader(frame.Body);
        var packetId = fields.ReadPacketId();
        if (version == MqttVersion.V500)
        {
            fields.ReadProperties(MqttPacketType.Unsubscribe);
        }

        if (fields.IsAtEnd)
        {
            MqttProtocolException.ThrowProtocolError("UNSUBSCRIBE without a filter");
        }

        var view = new UnsubscribeView(packetId, fields.Rest);
        foreach (var _ in view)
        {
            // Validates every filter before the caller acts on the first.
        }

        return view;
    }

    public Enumerator GetEnumerator() => new(_filters);

    internal ref struct Enumerator(ReadOnlySpan<byte> filters)
    {
        private FieldReader _fields = new(filters);

        public ReadOnlySpan<byte> Current { get; private set; }

        public bool MoveNext()
        {
            if (_fields.IsAtEnd)
            {
                return false;
            }

            Current = _fields.ReadString();
            if (!TopicFilter.IsValid(Current) || !TopicFilter.TrySplitShare(Current, out _, out _))
            {
                MqttProtocolException.ThrowMalformed("a topic filter is not valid");
            }

            return true;
        }
    }
}
