using System.Buffers;
using System.Net;
using Mooring.Mqtt.Broker.Access;
using Mooring.Mqtt.Broker.Persistence;
using Mooring.Mqtt.Broker.Routing;
using Mooring.Mqtt.Broker.Sessions;
using Mooring.Mqtt.Broker.Statistics;
using Mooring.Mqtt.Broker.Transports.Epoll;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker.Connections;

/// <summary>
/// One client connection, without any I/O: bytes come in through <see cref="OnReceived"/>, on one thread at a time, and go out through
/// <see cref="IConnectionOutput"/>. It lives from accept to close and is thrown away whole; what outlives it is the session.
/// </summary>
internal sealed partial class BrokerConnection(MqttBroker broker, IConnectionOutput output, ClientEntrance entrance) : IEpollHandler
{
    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _scratch;

    private readonly MqttBrokerLimits _limits = broker.Options.Limits;
    private readonly Lock _gate = new();
    private Session? _session;
    private Will? _will;
    private byte[][]? _aliases;
    private byte[] _lastTopic = [];
    private byte[]? _judgedTopic;
    private byte[]? _routedTopic;
    private Route? _route;
    private Permissions? _judgedBy;
    private MqttReasonCode _verdict;
    private long _lastReceived = broker.Now;
    private long _keepAliveMilliseconds;
    private uint _maximumPacketBytes = uint.MaxValue;
    private int _stalledTicks;
    private OutboundAliases? _outboundAliases;
    private Traffic _traffic;
    private readonly long _since = broker.Now;
    private volatile bool _isOver;
    private bool _hasLeft;

    internal MqttVersion Version { get; private set; } = MqttVersion.V311;

    /// <summary>QoS 1 and 2 messages that may be in flight to this client.</summary>
    internal int OutboundWindow { get; private set; }

    internal int UnsentBytes => output.UnsentBytes;

    internal EndPoint? RemoteEndPoint => output.RemoteEndPoint;

    internal Session? Session => _session;

    /// <summary>What the client may do; null for everything.</summary>
    internal Permissions? Permissions { get; set; }

    internal bool HasCertificate => entrance.Certificate is not null;

    internal long Now => broker.Now;

    internal Traffic Traffic => _traffic with { BytesOut = output.WrittenBytes };

    private int LargestPacket => _session is null ? Math.Min(_limits.FirstPacketBytes, _limits.MaximumPacketBytes) : _limits.MaximumPacketBytes;

    /// <summary>Adds to <paramref name="view"/> what concerns the connection.</summary>
    internal MqttClientView Describe(MqttClientView view, long now)
    {
        var traffic = Traffic;
        return view with
        {
            IsConnected = true,
            RemoteEndPoint = RemoteEndPoint?.ToString(),
            Transport = entrance.Listener.Transport,
            Version = Version,
            ConnectedFor = TimeSpan.FromMilliseconds(now - _since),
            KeepAlive = TimeSpan.FromMilliseconds(_keepAliveMilliseconds),
            UnsentBytes = output.UnsentBytes,
            MessagesReceived = traffic.MessagesIn,
            MessagesSent = traffic.MessagesOut,
            BytesReceived = traffic.BytesIn,
            BytesSent = traffic.BytesOut,
        };
    }

    /// <summary>The session is back, and still waits for retained messages.</summary>
    internal void ResumeRetained(Session session) => broker.RetainedPump.Add(session);

    /// <summary>What is written from here on leaves once everything recorded so far is kept.</summary>
    internal void HoldOutput(Journal journal) => output.HoldUntil(journal, journal.Position);

    /// <inheritdoc/>
    public int OnReceived(ReadOnlyMemory<byte> bytes)
    {
        var consumed = 0;
        try
        {
            // After the end nothing is read any more, but what the transport hands over is taken off its hands.
            while (!_isOver && _pauses == PauseReasons.None
                && MqttFraming.TryRead(bytes.Span[consumed..], LargestPacket, out var frame) == FrameReadResult.Frame)
            {
                consumed += frame.Length;
                _traffic.PacketsIn++;
                _traffic.BytesIn += frame.Length;
                Handle(frame);
            }
        }
        catch (MqttProtocolException exception)
        {
            broker.Log.ProtocolError(output.RemoteEndPoint, _session?.ClientId, exception.Message);
            End(exception.Reason);
        }

        if (_isOver)
        {
            return bytes.Length;
        }

        if (consumed > 0)
        {
            _lastReceived = broker.Now;
            output.RequestFlush();
        }

        return consumed;
    }

    /// <inheritdoc/>
    public void OnDrained()
    {
        _stalledTicks = 0;
        _session?.SendWaiting(this);
    }

    /// <inheritdoc/>
    public void OnClosed()
    {
        _isOver = true;
        Leave();
    }

    /// <summary>Once a second: keep-alive, the CONNECT deadline, a client that takes nothing.</summary>
    internal void Tick(long now)
    {
        TickPauses(now);
        var silent = now - Volatile.Read(ref _lastReceived);
        if (_session is null)
        {
            if (silent >= _limits.ConnectDeadline.TotalMilliseconds)
            {
                End(null);
            }

            return;
        }

        // One and a half times the keep-alive (MQTT-3.1.2-22).
        if (_keepAliveMilliseconds > 0 && silent > _keepAliveMilliseconds * 3 / 2)
        {
            End(MqttReasonCode.KeepAliveTimeout);
            return;
        }

        _stalledTicks = output.UnsentBytes > _limits.OutboundBufferBytes ? _stalledTicks + 1 : 0;
        if (_stalledTicks > _limits.StalledFor.TotalSeconds)
        {
            broker.Log.Stalled(_session.ClientId, output.UnsentBytes);
            End(null);
        }
    }

    /// <summary>
    /// Tells a 5.0 client why, once, and closes; the will stays. Before CONNACK the reason goes into CONNACK.
    /// </summary>
    internal void End(MqttReasonCode? reason)
    {
        if (_isOver)
        {
            return;
        }

        _isOver = true;
        if (reason is { } code && _session is not null && Version == MqttVersion.V500)
        {
            var scratch = Scratch();
            MqttPackets.WriteReason(scratch, MqttPacketType.Disconnect, Version, code);
            output.Write(scratch.WrittenSpan);
        }

        if (reason == MqttReasonCode.ServerShuttingDown)
        {
            _will = null;
        }

        Leave();
        output.Close();
    }

    /// <summary>
    /// The session is left at once, and once: the transport may take a second longer to see the peer's end.
    /// </summary>
    private void Leave()
    {
        lock (_gate)
        {
            if (_hasLeft)
            {
                return;
            }

            _hasLeft = true;
        }

        broker.Closed(this, _session, _will);
    }

    internal bool Accepts(in Delivery delivery) =>
        _maximumPacketBytes == uint.MaxValue || PacketBytes(delivery) <= _maximumPacketBytes;

    private long PacketBytes(in Delivery delivery)
    {
        const int aliasBytes = 3;
        const int expiryBytes = 5;
        var message = delivery.Message;
        var properties = message.Properties.Length
            + (_outboundAliases is null ? 0 : aliasBytes) + (message.ExpiresAt is null ? 0 : expiryBytes);
        foreach (var identifier in delivery.Identifiers)
        {
            properties += 1 + VariableByteInteger.LengthOf(identifier);
        }

        return MqttPackets.PublishLength(
            Version, message.Topic.Length, delivery.QualityOfService, properties,
            message.Payload.Length, out _);
    }

    /// <summary>Whether what waits for the end of the turn, sent at once, leaves room for more: a burst is no slow consumer.</summary>
    internal bool MakesRoom()
    {
        output.Flush();
        return output.UnsentBytes <= _limits.OutboundBufferBytes;
    }

    internal void WriteAck(MqttPacketType type, ushort id, MqttReasonCode reason = MqttReasonCode.Success)
    {
        var scratch = Scratch();
        MqttPackets.WriteAck(scratch, type, Version, id, reason);
        Write(scratch);
    }

    internal void WritePublish(in Delivery delivery, ushort packetId, bool duplicate)
    {
        if (delivery.QualityOfService == QualityOfService.AtMostOnce && !Accepts(delivery))
        {
            broker.Counters.DroppedTooLarge();
            return;
        }

        var message = delivery.Message;
        _traffic.MessagesOut++;
        _traffic.PayloadOut += message.Payload.Length;
        var isNewAlias = false;
        var alias = _outboundAliases?.Find(message.Topic, out isNewAlias) ?? 0;
        if (alias == 0 && delivery.IsPlain(Version))
        {
            output.Write(message.PlainFrame(Version));
            output.RequestFlush();
            return;
        }

        var flags = (byte)(((int)delivery.QualityOfService << 1) | (delivery.Retain ? 1 : 0) | (duplicate ? 8 : 0));
        var scratch = Scratch();
        ReadOnlySpan<byte> properties = message.Properties;
        if (Version == MqttVersion.V500 && (alias > 0 || delivery.Identifiers.Length > 0 || message.ExpiresAt is not null))
        {
            properties = WithOwnProperties(delivery, alias);
        }

        var topic = alias > 0 && !isNewAlias ? default : message.Topic;
        MqttPackets.WritePublish(scratch, Version, flags, topic, packetId, properties, message.Payload);
        Write(scratch);
    }

    private ReadOnlySpan<byte> WithOwnProperties(scoped in Delivery delivery, ushort alias)
    {
        var properties = new PropertyWriter();
        if (alias > 0)
        {
            properties.WriteUInt16(PropertyId.TopicAlias, alias);
        }

        properties.WriteEncoded(delivery.Message.Properties);
        foreach (var identifier in delivery.Identifiers)
        {
            properties.WriteVariable(PropertyId.SubscriptionIdentifier, identifier);
        }

        if (delivery.Message.ExpiresAt is { } expiresAt)
        {
            // What is left of the lifetime (MQTT-3.3.2-6), rounded up so that a message just published keeps its number.
            var left = Math.Max(0, expiresAt - broker.Now);
            properties.WriteUInt32(PropertyId.MessageExpiryInterval, (uint)((left + 999) / 1000));
        }

        return properties.Written;
    }

    private void Write(ArrayBufferWriter<byte> scratch)
    {
        output.Write(scratch.WrittenSpan);
        output.RequestFlush();
    }

    private static ArrayBufferWriter<byte> Scratch()
    {
        var scratch = _scratch ??= new ArrayBufferWriter<byte>(4096);
        scratch.ResetWrittenCount();
        return scratch;
    }
}
