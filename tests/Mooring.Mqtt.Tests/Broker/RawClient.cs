using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Mooring.Mqtt.Codec;
using Mooring.Mqtt.Tests.Codec;

namespace Mooring.Mqtt.Tests.Broker;

/// <summary>A client that sends exactly the packets a test names and shows every packet it gets as text.</summary>
internal sealed class RawClient : IDisposable
{
    private const int ReceiveTimeoutMilliseconds = 30_000;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly MqttVersion _version;
    private byte[] _rest = [];

    internal RawClient(IPEndPoint broker, MqttVersion version, int receiveBuffer = 0)
    {
        _version = version;
        if (receiveBuffer > 0)
        {
            _socket.ReceiveBufferSize = receiveBuffer;
        }

        _socket.ReceiveTimeout = ReceiveTimeoutMilliseconds;
        _socket.NoDelay = true;
        _socket.Connect(broker);
    }

    /// <summary>What CONNACK said.</summary>
    internal string ConnAck { get; private set; } = "";

    /// <summary>Connects and returns the dump of CONNACK without its properties.</summary>
    internal static RawClient Connect(
        IPEndPoint broker, string id, MqttVersion version = MqttVersion.V311, bool clean = true, uint? expiry = null,
        string? will = null, uint willDelay = 0, ushort receiveMaximum = 0, uint maximumPacketSize = 0, string? user = null,
        string? password = null, ushort keepAlive = 0, ushort topicAliasMaximum = 0, int receiveBuffer = 0,
        int willQos = 0, bool willRetain = false, uint? willExpiry = null, string? authentication = null, string expect = "ConnAck Success")
    {
        var client = new RawClient(broker, version, receiveBuffer);
        var properties = new PropertyWriter();
        if (expiry is { } seconds)
        {
            properties.WriteUInt32(PropertyId.SessionExpiryInterval, seconds);
        }

        if (receiveMaximum > 0)
        {
            properties.WriteUInt16(PropertyId.ReceiveMaximum, receiveMaximum);
        }

        if (maximumPacketSize > 0)
        {
            properties.WriteUInt32(PropertyId.MaximumPacketSize, maximumPacketSize);
        }

        if (topicAliasMaximum > 0)
        {
            properties.WriteUInt16(PropertyId.TopicAliasMaximum, topicAliasMaximum);
        }

        if (authentication is not null)
        {
            properties.WriteText(PropertyId.AuthenticationMethod, authentication);
        }

        var willProperties = new PropertyWriter();
        if (willExpiry is { } willSeconds)
        {
            willProperties.WriteUInt32(PropertyId.MessageExpiryInterval, willSeconds);
        }

        if (willDelay > 0)
        {
            willProperties.WriteUInt32(PropertyId.WillDelayInterval, willDelay);
        }

        var output = new ArrayBufferWriter<byte>();
        MqttPackets.WriteConnect(output, new ConnectFields
        {
            Version = version,
            CleanStart = clean,
            KeepAliveSeconds = keepAlive,
            ClientId = Encoding.UTF8.GetBytes(id),
            Properties = properties.Written,
            HasWill = will is not null,
            WillTopic = will is null ? default : Encoding.UTF8.GetBytes(will),
            WillPayload = "gone"u8,
            WillQualityOfService = (QualityOfService)willQos,
            WillRetain = willRetain,
            WillProperties = willProperties.Written,
            HasUserName = user is not null,
            UserName = Encoding.UTF8.GetBytes(user ?? ""),
            HasPassword = password is not null,
            Password = Encoding.UTF8.GetBytes(password ?? ""),
        });
        client.Send(output.WrittenSpan);
        client.ConnAck = client.Receive();
        Assert.StartsWith(expect, client.ConnAck, StringComparison.Ordinal);
        return client;
    }

    internal void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[_socket.Send(bytes)..];
        }
    }

    internal void SendHex(string hex) => Send(Convert.FromHexString(hex));

    internal void Subscribe(string filter, int options = 0, uint identifier = 0, string expect = "")
    {
        var properties = new PropertyWriter();
        if (identifier > 0)
        {
            properties.WriteVariable(PropertyId.SubscriptionIdentifier, identifier);
        }

        var output = new ArrayBufferWriter<byte>();
        MqttPackets.WriteSubscribe(
            output, _version, 1, properties.Written, [(Encoding.UTF8.GetBytes(filter), (byte)options)]);
        Send(output.WrittenSpan);
        Assert.Equal(expect.Length > 0 ? expect : $"SubAck id=1 codes=0{options & 3}", Receive());
    }

    /// <summary>SUBSCRIBE; its answer is left to be received among the rest.</summary>
    internal void SubscribeUnheard(string filter)
    {
        var output = new ArrayBufferWriter<byte>();
        MqttPackets.WriteSubscribe(output, _version, 1, default, [(Encoding.UTF8.GetBytes(filter), 0)]);
        Send(output.WrittenSpan);
    }

    internal void SubscribeAndLeave(string filter, int options)
    {
        Subscribe(filter, options);
        Leave();
        Dispose();
    }

    internal void Publish(string topic, string payload, int qos = 0, ushort id = 0, bool retain = false, PropertyWriter? properties = null)
    {
        var output = new ArrayBufferWriter<byte>();
        MqttPackets.WritePublish(
            output, _version, (byte)(qos << 1 | (retain ? 1 : 0)), Encoding.UTF8.GetBytes(topic), id,
            properties is null ? default : properties.Written, Encoding.UTF8.GetBytes(payload));
        Send(output.WrittenSpan);
    }

    internal void Unsubscribe(string filter, string expect)
    {
        var output = new ArrayBufferWriter<byte>();
        MqttPackets.WriteUnsubscribe(output, _version, 1, [Encoding.UTF8.GetBytes(filter)]);
        Send(output.WrittenSpan);
        Assert.Equal(expect, Receive());
    }

    /// <summary>DISCONNECT; the broker closes.</summary>
    internal void Leave(MqttReasonCode reason = MqttReasonCode.Success, uint? expiry = null)
    {
        var properties = new PropertyWriter();
        if (expiry is { } seconds)
        {
            properties.WriteUInt32(PropertyId.SessionExpiryInterval, seconds);
        }

        var output = new ArrayBufferWriter<byte>();
        MqttPackets.WriteReason(output, MqttPacketType.Disconnect, _version, reason, properties.Written);
        Send(output.WrittenSpan);
        Assert.Equal("closed", Receive());
    }

    internal void Ack(MqttPacketType type, ushort id)
    {
        var output = new ArrayBufferWriter<byte>();
        MqttPackets.WriteAck(output, type, _version, id);
        Send(output.WrittenSpan);
    }

    /// <summary>The next packet as text, or "closed".</summary>
    internal string Receive()
    {
        var buffer = new byte[65536];
        while (true)
        {
            if (MqttFraming.TryRead(_rest, 1 << 20, out var frame) == FrameReadResult.Frame)
            {
                var text = frame.Type == MqttPacketType.Disconnect
                    ? $"Disconnect {ReasonView.Read(frame, _version, fromClient: false).Reason}"
                    : PacketDump.Of(frame, _version);
                _rest = _rest[frame.Length..];
                return text;
            }

            int count;
            try
            {
                count = _socket.Receive(buffer);
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionReset)
            {
                return "closed";
            }

            if (count == 0)
            {
                return "closed";
            }

            _rest = [.. _rest, .. buffer.AsSpan(0, count)];
        }
    }

    /// <summary>Everything before this has been handled when the answer is the next packet.</summary>
    internal void ExpectNothing()
    {
        Send(MqttPackets.PingReq);
        Assert.Equal("PingResp", Receive());
    }

    internal void ExpectAcks(int count)
    {
        for (var i = 0; i < count; i++) Assert.StartsWith("PubAck", Receive(), StringComparison.Ordinal);
    }

    internal void ExpectNothingBut(string packet)
    {
        Assert.Equal(packet, Receive());
        ExpectNothing();
    }

    /// <summary>Closes as a network failure would look: without DISCONNECT.</summary>
    public void Dispose() => _socket.Dispose();
}
