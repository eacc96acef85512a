using Mooring.Mqtt.Broker.Sessions;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker.Routing;

/// <summary>
/// A message on its way to any number of sessions: immutable, copied once out of the receive buffer. Its storage is the complete
/// QoS 0 frame of 3.1.1, so that the commonest delivery is a copy and nothing else.
/// </summary>
internal sealed class RoutedMessage
{
    private readonly byte[] _frame;
    private readonly int _topicStart;
    private readonly int _topicLength;
    private byte[]? _frame5;

    private RoutedMessage(byte[] frame, int topicStart, int topicLength)
    {
        _frame = frame;
        _topicStart = topicStart;
        _topicLength = topicLength;
    }

    internal ReadOnlySpan<byte> Topic => _frame.AsSpan(_topicStart, _topicLength);

    internal ReadOnlyMemory<byte> PayloadMemory => _frame.AsMemory(_topicStart + _topicLength);

    internal ReadOnlySpan<byte> Payload => _frame.AsSpan(_topicStart + _topicLength);

    /// <summary>Properties that every subscriber of 5.0 gets, as encoded by the publisher.</summary>
    internal byte[] Properties { get; private init; } = [];

    internal QualityOfService QualityOfService { get; private init; }

    internal bool Retain { get; private init; }

    /// <summary>Milliseconds of the broker's clock at which the message is dropped; null for never.</summary>
    internal long? ExpiresAt { get; private init; }

    /// <summary>Session that published it, for No Local; null for the broker's own messages.</summary>
    internal Session? Publisher { get; private init; }

    /// <summary>Number in the journal, 0 while it is in none; guarded by the journal.</summary>
    internal long JournalNumber { get; set; }

    /// <summary>The journal's epoch in which it was last written; guarded by the journal.</summary>
    internal int JournalEpoch { get; set; }

    internal int Size => _frame.Length + Properties.Length;

    internal static RoutedMessage Create(
        ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload, QualityOfService qos, bool retain,
        byte[]? properties = null, long? expiresAt = null, Session? publisher = null)
    {
        var body = 2 + topic.Length + payload.Length;
        var header = 1 + VariableByteInteger.LengthOf((uint)body);
        var frame = new byte[header + body];
        var writer = new FieldWriter(frame);
        writer.WriteByte(0x30);
        writer.WriteVariable((uint)body);
        writer.WriteString(topic);
        writer.WriteBytes(payload);
        return new RoutedMessage(frame, header + 2, topic.Length)
        {
            QualityOfService = qos,
            Retain = retain,
            Properties = properties ?? [],
            ExpiresAt = expiresAt,
            Publisher = publisher,
        };
    }

    /// <summary>The frame of a plain QoS 0 delivery: no RETAIN, identifiers, alias or expiry; shared by all such receivers.</summary>
    internal ReadOnlySpan<byte> PlainFrame(MqttVersion version)
    {
        if (version != MqttVersion.V500)
        {
            return _frame;
        }

        if (_frame5 is null)
        {
            MqttPackets.PublishLength(version, _topicLength, 0, Properties.Length, Payload.Length, out var body);
            var frame = new byte[1 + VariableByteInteger.LengthOf((uint)body) + body];
            var writer = new FieldWriter(frame);
            writer.WriteByte(0x30);
            writer.WriteVariable((uint)body);
            writer.WriteString(Topic);
            writer.WriteBlock(Properties);
            writer.WriteBytes(Payload);
            _frame5 = frame;
        }

        return _frame5;
    }

    internal bool IsExpired(long now) => ExpiresAt <= now;
}
