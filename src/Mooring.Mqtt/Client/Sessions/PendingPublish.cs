using System.Buffers;
using System.Text;
using System.Threading.Tasks.Sources;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Client.Sessions;

/// <summary>
/// One message on its way out, copied from the caller's: topic, properties and payload in one rented buffer, ready to be written as
/// often as connections break. It is also what the publisher awaits.
/// </summary>
internal sealed class PendingPublish : IValueTaskSource
{
    // Lone surrogates must not become question marks silently.
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    [ThreadStatic]
    private static PropertyWriter? t_properties;

    private readonly byte[] _buffer;
    private readonly int _topicLength;
    private readonly int _propertiesLength;
    private readonly int _length;
    private readonly ClientSession _session;
    private ManualResetValueTaskSourceCore<bool> _done = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _cancellation;
    private int _completed;
    private bool _released;

    private PendingPublish(ClientSession session, MqttMessage message, ReadOnlySpan<byte> properties, int topicLength)
    {
        _session = session;
        _topicLength = topicLength;
        _propertiesLength = properties.Length;
        _length = topicLength + properties.Length + message.Payload.Length;
        _buffer = ArrayPool<byte>.Shared.Rent(_length);
        StrictUtf8.GetBytes(message.Topic, _buffer);
        properties.CopyTo(_buffer.AsSpan(topicLength));
        message.Payload.Span.CopyTo(_buffer.AsSpan(topicLength + properties.Length));
        TopicText = message.Topic;
        QualityOfService = message.QualityOfService;
        Retain = message.Retain;
    }

    internal string TopicText { get; }

    internal QualityOfService QualityOfService { get; }

    internal bool Retain { get; }

    /// <summary>Whoever publishes waits for room in the queue only, not for the acknowledgement.</summary>
    internal bool CompletesWhenQueued { get; init; }

    /// <summary>Order of acceptance; decides between the queues of QoS 0 and of the others.</summary>
    internal long Sequence { get; set; }

    /// <summary>The list it waits in; null once it has been sent, refused or cancelled.</summary>
    internal PendingList? List { get; set; }

    internal PendingPublish? Previous { get; set; }

    internal PendingPublish? Next { get; set; }

    /// <summary>Bytes held.</summary>
    internal int Length => _length;

    internal ReadOnlySpan<byte> Topic => _buffer.AsSpan(0, _topicLength);

    internal ReadOnlySpan<byte> Properties => _buffer.AsSpan(_topicLength, _propertiesLength);

    internal ReadOnlySpan<byte> Payload => _buffer.AsSpan(_topicLength + _propertiesLength, _length - _topicLength - _propertiesLength);

    internal byte Flags => (byte)(((int)QualityOfService << 1) | (Retain ? 1 : 0));

    internal ValueTask Completion => new(this, _done.Version);

    /// <exception cref="MqttRefusedException">The topic is not a topic name.</exception>
    internal static PendingPublish Create(ClientSession session, MqttMessage message, MqttVersion version, bool completesWhenQueued)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((int)message.QualityOfService, (int)QualityOfService.ExactlyOnce);
        var topicLength = StrictUtf8.GetByteCount(message.Topic);
        if (topicLength is 0 or > ushort.MaxValue || message.Topic.AsSpan().ContainsAny('+', '#', '\0'))
        {
            throw new MqttRefusedException((byte)MqttReasonCode.TopicNameInvalid, $"'{message.Topic}' is not a topic name");
        }
        var properties = t_properties ??= new PropertyWriter();
        properties.Clear();
        if (version == MqttVersion.V500) MessageProperties.Write(properties, message);
        return new PendingPublish(session, message, properties.Written, topicLength) { CompletesWhenQueued = completesWhenQueued };
    }

    internal void CancelWith(CancellationToken cancellationToken)
    {
        if (!cancellationToken.CanBeCanceled) return;
        _cancellation = cancellationToken.UnsafeRegister(
            static (state, token) => ((PendingPublish)state!).Cancel(token), this);
    }

    internal bool TryComplete()
    {
        if (Interlocked.Exchange(ref _completed, 1) != 0) return false;
        _done.SetResult(true);
        return true;
    }

    internal bool TryFail(Exception error)
    {
        if (Interlocked.Exchange(ref _completed, 1) != 0) return false;
        _done.SetException(error);
        return true;
    }

    /// <summary>Gives the buffer back; the message will not be written again. Needs the session's lock.</summary>
    internal void Release()
    {
        if (_released) return;
        _released = true;
        ArrayPool<byte>.Shared.Return(_buffer);
    }

    void IValueTaskSource.GetResult(short token)
    {
        _cancellation.Dispose();
        _done.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _done.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _done.OnCompleted(continuation, state, token, flags);

    private void Cancel(CancellationToken cancellationToken)
    {
        _session.Withdraw(this);
        TryFail(new OperationCanceledException(cancellationToken));
    }
}
