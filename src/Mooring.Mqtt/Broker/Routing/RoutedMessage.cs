using System.Numerics;
using Mooring.Kernel.Tracing;
using Mooring.Mqtt.Broker.Sessions;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker.Routing;

/// <summary>
/// A message on its way to any number of sessions: immutable, copied once out of the receive buffer. Its storage is the complete
/// QoS 0 frame of 3.1.1, so that the commonest delivery is a copy and nothing else.
/// </summary>
internal sealed class RoutedMessage
{
    /// <summary>Largest storage that is used again; what is larger is rare, and not worth keeping for each thread.</summary>
    private const int ReusedBytes = 16 * 1024;

    [ThreadStatic]
    private static RoutedMessage? s_spare;

    private byte[] _frame = [];
    private byte[] _frame5 = [];
    private int _length;
    private int _length5;
    private int _topicStart;
    private int _topicLength;
    private bool _isBorrowed;

    private RoutedMessage()
    {
    }

    internal ReadOnlySpan<byte> Topic => _frame.AsSpan(_topicStart, _topicLength);

    internal ReadOnlyMemory<byte> PayloadMemory => _frame.AsMemory((_topicStart + _topicLength).._length);

    internal ReadOnlySpan<byte> Payload => _frame.AsSpan((_topicStart + _topicLength).._length);

    /// <summary>Properties that every subscriber of 5.0 gets, as encoded by the publisher.</summary>
    internal byte[] Properties { get; private set; } = [];

    internal QualityOfService QualityOfService { get; private set; }

    internal bool Retain { get; private set; }

    /// <summary>Milliseconds of the broker's clock at which the message is dropped; null for never.</summary>
    internal long? ExpiresAt { get; private set; }

    /// <summary>Session that published it, for No Local; null for the broker's own messages.</summary>
    internal Session? Publisher { get; private set; }

    /// <summary>Its place in a trace, for the handlers in this process; null when nobody traces.</summary>
    internal TraceContext? Trace { get; set; }

    /// <summary>Number in the journal, 0 while it is in none; guarded by the journal.</summary>
    internal long JournalNumber { get; set; }

    /// <summary>The journal's epoch in which it was last written; guarded by the journal.</summary>
    internal int JournalEpoch { get; set; }

    internal int Size => _length + Properties.Length;

    internal static RoutedMessage Create(
        ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload, QualityOfService qos, bool retain,
        byte[]? properties = null, long? expiresAt = null, Session? publisher = null)
    {
        var message = new RoutedMessage
        {
            QualityOfService = qos,
            Retain = retain,
            Properties = properties ?? [],
            ExpiresAt = expiresAt,
            Publisher = publisher,
        };
        message.Write(topic, payload);
        return message;
    }

    /// <summary>
    /// A message of QoS 0 that is not retained: most are copied to their receivers at once and kept by nobody, and allocate nothing.
    /// Whoever routes it calls <see cref="Return"/> unless somebody kept it.
    /// </summary>
    internal static RoutedMessage Borrow(
        ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload, byte[]? properties, long? expiresAt, Session? publisher)
    {
        var message = s_spare ?? new RoutedMessage();
        s_spare = null;
        message._isBorrowed = true;
        message.Properties = properties ?? [];
        message.ExpiresAt = expiresAt;
        message.Publisher = publisher;
        message.Write(topic, payload);
        return message;
    }

    /// <summary>Nobody has kept it: its storage is for the next one. Only for one that was borrowed; nothing happens to others.</summary>
    internal void Return()
    {
        if (_isBorrowed && _frame.Length <= ReusedBytes && _frame5.Length <= ReusedBytes)
        {
            Publisher = null;
            Trace = null;
            s_spare = this;
        }
    }

    /// <summary>The frame of a plain QoS 0 delivery: no RETAIN, identifiers, alias or expiry; shared by all such receivers.</summary>
    internal ReadOnlySpan<byte> PlainFrame(MqttVersion version)
    {
        if (version != MqttVersion.V500)
        {
            return _frame.AsSpan(0, _length);
        }

        if (_length5 == 0)
        {
            MqttPackets.PublishLength(version, _topicLength, 0, Properties.Length, Payload.Length, out var body);
            _length5 = 1 + VariableByteInteger.LengthOf((uint)body) + body;
            var writer = new FieldWriter(Storage(ref _frame5, _length5));
            writer.WriteByte(0x30);
            writer.WriteVariable((uint)body);
            writer.WriteString(Topic);
            writer.WriteBlock(Properties);
            writer.WriteBytes(Payload);
        }

        return _frame5.AsSpan(0, _length5);
    }

    internal bool IsExpired(long now) => ExpiresAt <= now;

    private void Write(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload)
    {
        var body = 2 + topic.Length + payload.Length;
        var header = 1 + VariableByteInteger.LengthOf((uint)body);
        _length = header + body;
        _length5 = 0;
        _topicStart = header + 2;
        _topicLength = topic.Length;
        var writer = new FieldWriter(Storage(ref _frame, _length));
        writer.WriteByte(0x30);
        writer.WriteVariable((uint)body);
        writer.WriteString(topic);
        writer.WriteBytes(payload);
    }

    /// <summary>As much as is needed for one that may be kept; some to spare for one that is used again.</summary>
    private Span<byte> Storage(ref byte[] bytes, int length)
    {
        if (bytes.Length < length)
        {
            bytes = new byte[_isBorrowed ? (int)BitOperations.RoundUpToPowerOf2((uint)length) : length];
        }

        return bytes.AsSpan(0, length);
    }
}
