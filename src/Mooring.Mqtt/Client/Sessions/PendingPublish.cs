using System.Buffers;
using System.Numerics;
using System.Text;
using System.Threading.Tasks.Sources;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Client.Sessions;

/// <summary>
/// One message on its way out, copied from the caller's: topic, properties and payload in one buffer, ready to be written as often as
/// connections break. It is also what the publisher awaits. When both session and publisher are done with it, it serves another message.
/// </summary>
internal sealed class PendingPublish(ClientSession session) : IValueTaskSource
{
    /// <summary>A small buffer stays with the object; larger ones are rented.</summary>
    private const int OwnBufferBytes = 1024;

    // Lone surrogates must not become question marks silently.
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    [ThreadStatic]
    private static PropertyWriter? t_properties;

    private byte[] _own = [];
    private byte[]? _rented;
    private int _topicLength;
    private int _propertiesLength;
    private ManualResetValueTaskSourceCore<bool> _done = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _cancellation;
    private int _completed;
    private int _owners;

    internal string TopicText { get; private set; } = "";

    internal QualityOfService QualityOfService { get; private set; }

    internal bool Retain { get; private set; }

    /// <summary>Whoever publishes waits for room in the queue only, not for the acknowledgement.</summary>
    internal bool CompletesWhenQueued { get; private set; }

    /// <summary>Order of acceptance; decides between the queues of QoS 0 and of the others.</summary>
    internal long Sequence { get; set; }

    /// <summary>The list it waits in; null once it has been sent, refused or cancelled.</summary>
    internal PendingList? List { get; set; }

    internal PendingPublish? Previous { get; set; }

    internal PendingPublish? Next { get; set; }

    /// <summary>Bytes held.</summary>
    internal int Length { get; private set; }

    internal ReadOnlySpan<byte> Topic => Buffer.AsSpan(0, _topicLength);

    internal ReadOnlySpan<byte> Properties => Buffer.AsSpan(_topicLength, _propertiesLength);

    internal ReadOnlySpan<byte> Payload => Buffer.AsSpan(_topicLength + _propertiesLength, Length - _topicLength - _propertiesLength);

    internal byte Flags => (byte)(((int)QualityOfService << 1) | (Retain ? 1 : 0));

    internal ValueTask Completion => new(this, _done.Version);

    private byte[] Buffer => _rented ?? _own;

    /// <summary>Takes a message in; the caller's may change afterwards.</summary>
    /// <exception cref="MqttRefusedException">The topic is not a topic name.</exception>
    /// <exception cref="ArgumentException">A property is not valid.</exception>
    internal void Fill(MqttMessage message, MqttVersion version, bool completesWhenQueued)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((int)message.QualityOfService, (int)QualityOfService.ExactlyOnce);
        _topicLength = StrictUtf8.GetByteCount(message.Topic);
        if (_topicLength is 0 or > ushort.MaxValue || message.Topic.AsSpan().ContainsAny('+', '#', '\0'))
        {
            throw new MqttRefusedException((byte)MqttReasonCode.TopicNameInvalid, $"'{message.Topic}' is not a topic name");
        }
        var properties = t_properties ??= new PropertyWriter();
        properties.Clear();
        if (version == MqttVersion.V500) MessageProperties.Write(properties, message);
        _propertiesLength = properties.Written.Length;
        Length = _topicLength + _propertiesLength + message.Payload.Length;
        Reserve();
        StrictUtf8.GetBytes(message.Topic, Buffer);
        properties.Written.CopyTo(Buffer.AsSpan(_topicLength));
        message.Payload.Span.CopyTo(Buffer.AsSpan(_topicLength + _propertiesLength));
        TopicText = message.Topic;
        QualityOfService = message.QualityOfService;
        Retain = message.Retain;
        CompletesWhenQueued = completesWhenQueued;
        _done.Reset();
        (_completed, _owners) = (0, 2);
    }

    internal void CancelWith(CancellationToken cancellationToken)
    {
        if (!cancellationToken.CanBeCanceled) return;
        _cancellation = cancellationToken.UnsafeRegister(
            static (state, token) => ((PendingPublish)state!).Cancel(token), this);
    }

    internal bool IsCompleted => Volatile.Read(ref _completed) != 0;

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

    /// <summary>The message will not be written again. Needs the session's lock.</summary>
    internal void DropPayload()
    {
        if (_rented is null) return;
        ArrayPool<byte>.Shared.Return(_rented);
        _rented = null;
        Length = _topicLength = _propertiesLength = 0;
    }

    /// <summary>The session is done with it. Needs the session's lock.</summary>
    internal void LetGo()
    {
        DropPayload();
        ReleaseOwner();
    }

    void IValueTaskSource.GetResult(short token)
    {
        // Waits for a cancellation that runs just now: nothing may touch the object after its release.
        _cancellation.Dispose();
        _cancellation = default;
        try
        {
            _done.GetResult(token);
        }
        finally
        {
            ReleaseOwner();
        }
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _done.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _done.OnCompleted(continuation, state, token, flags);

    private void Reserve()
    {
        if (Length > OwnBufferBytes) _rented = ArrayPool<byte>.Shared.Rent(Length);
        else if (_own.Length < Length) _own = new byte[BitOperations.RoundUpToPowerOf2((uint)Length)];
    }

    /// <summary>Session and publisher are the owners; the last one puts it away.</summary>
    private void ReleaseOwner()
    {
        if (Interlocked.Decrement(ref _owners) == 0) session.Idle.Return(this);
    }

    private void Cancel(CancellationToken cancellationToken)
    {
        session.Withdraw(this);
        TryFail(new OperationCanceledException(cancellationToken));
    }
}
