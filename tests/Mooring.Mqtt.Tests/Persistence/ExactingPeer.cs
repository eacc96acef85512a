using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Tests.Persistence;

/// <summary>
/// A client with a kept session that publishes numbered messages, or notes those it gets, and does at each reconnect what the standard
/// asks for: it repeats what was not acknowledged, and takes a repeated QoS 2 id for the message it has already.
/// </summary>
internal sealed class ExactingPeer(string id, int qos)
{
    private const int Window = 16;
    private const int ReceiveTimeoutMilliseconds = 30_000;

    private readonly SortedDictionary<int, (ushort Id, bool IsReleased)> _unacknowledged = [];
    private readonly HashSet<ushort> _received = [];
    private readonly ArrayBufferWriter<byte> _output = new();
    private (int Count, TaskCompletionSource Reached)? _awaited;
    private Socket? _socket;
    private ushort _lastId;

    /// <summary>Numbers given to messages so far.</summary>
    internal int Sent { get; private set; }

    /// <summary>Messages whose delivery the broker has taken over for good.</summary>
    internal int Acknowledged { get; private set; }

    internal Task WhenAcknowledgedAsync(int count)
    {
        var awaited = (Count: count, Reached: new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        _awaited = awaited;
        return awaited.Reached.Task;
    }

    /// <summary>Numbers received, each time they came as something new.</summary>
    internal List<int> Received { get; } = [];

    internal string? Subscription { get; init; }

    internal bool SessionWasPresent { get; private set; }

    /// <summary>
    /// Runs one connection until <paramref name="isDone"/> says so or it breaks. <paramref name="topic"/> is published to as long as
    /// <paramref name="publishes"/>.
    /// </summary>
    internal void Run(IPEndPoint broker, string? topic, Func<bool> publishes, Func<bool> isDone)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            ReceiveTimeout = ReceiveTimeoutMilliseconds,
            NoDelay = true,
        };
        _socket = socket;
        _output.ResetWrittenCount();
        try
        {
            socket.Connect(broker);
            MqttPackets.WriteConnect(_output, new ConnectFields
            {
                Version = MqttVersion.V311, CleanStart = false, ClientId = Encoding.UTF8.GetBytes(id),
            });
            Flush();
            Serve(socket, topic, publishes, isDone);
        }
        catch (SocketException)
        {
            // The broker was killed; what is known is kept for the next connection.
        }
    }

    private void Serve(Socket socket, string? topic, Func<bool> publishes, Func<bool> isDone)
    {
        var buffer = new byte[256 * 1024];
        var filled = 0;
        while (!isDone())
        {
            var count = socket.Receive(buffer.AsSpan(filled));
            if (count == 0)
            {
                return;
            }

            filled += count;
            var consumed = 0;
            while (MqttFraming.TryRead(buffer.AsSpan(consumed, filled - consumed), 1 << 20, out var frame) == FrameReadResult.Frame)
            {
                consumed += frame.Length;
                Handle(frame, topic);
            }

            buffer.AsSpan(consumed, filled - consumed).CopyTo(buffer);
            filled -= consumed;
            if (topic is not null)
            {
                PublishMore(topic, publishes);
            }

            Flush();
        }
    }

    private void Handle(in MqttFrame frame, string? topic)
    {
        switch (frame.Type)
        {
            case MqttPacketType.ConnAck:
                Resume(ConnAckView.Read(frame, MqttVersion.V311).SessionPresent, topic);
                break;
            case MqttPacketType.Publish:
                Note(PublishView.Read(frame, MqttVersion.V311, []));
                break;
            case MqttPacketType.PubRel:
                var released = AckView.Read(frame, MqttVersion.V311).PacketId;
                _received.Remove(released);
                MqttPackets.WriteAck(_output, MqttPacketType.PubComp, MqttVersion.V311, released);
                break;
            case MqttPacketType.PubAck or MqttPacketType.PubComp:
                Finish(AckView.Read(frame, MqttVersion.V311).PacketId);
                break;
            case MqttPacketType.PubRec:
                Release(AckView.Read(frame, MqttVersion.V311).PacketId);
                break;
        }
    }

    private void Resume(bool present, string? topic)
    {
        SessionWasPresent = present;
        if (Subscription is not null && !present)
        {
            MqttPackets.WriteSubscribe(_output, MqttVersion.V311, ushort.MaxValue, default, [(Encoding.UTF8.GetBytes(Subscription), 2)]);
        }

        foreach (var (number, (packetId, isReleased)) in _unacknowledged)
        {
            if (isReleased) MqttPackets.WriteAck(_output, MqttPacketType.PubRel, MqttVersion.V311, packetId);
            else Publish(topic!, number, packetId, duplicate: true);
        }
    }

    private void Note(in PublishView publish)
    {
        var number = BinaryPrimitives.ReadInt32BigEndian(publish.Payload);
        if (publish.QualityOfService == QualityOfService.AtLeastOnce)
        {
            Received.Add(number);
            MqttPackets.WriteAck(_output, MqttPacketType.PubAck, MqttVersion.V311, publish.PacketId);
            return;
        }

        if (_received.Add(publish.PacketId)) Received.Add(number);
        MqttPackets.WriteAck(_output, MqttPacketType.PubRec, MqttVersion.V311, publish.PacketId);
    }

    private void PublishMore(string topic, Func<bool> publishes)
    {
        while (_unacknowledged.Count < Window && publishes())
        {
            _lastId = (ushort)((_lastId % 60_000) + 1);
            _unacknowledged[++Sent] = (_lastId, false);
            Publish(topic, Sent, _lastId, duplicate: false);
        }
    }

    private void Publish(string topic, int number, ushort packetId, bool duplicate)
    {
        Span<byte> payload = stackalloc byte[100];
        BinaryPrimitives.WriteInt32BigEndian(payload, number);
        MqttPackets.WritePublish(
            _output, MqttVersion.V311, (byte)((qos << 1) | (duplicate ? 8 : 0)), Encoding.UTF8.GetBytes(topic), packetId, default, payload);
    }

    private void Release(ushort packetId)
    {
        foreach (var (number, (id, isReleased)) in _unacknowledged)
        {
            if (id != packetId) continue;
            if (!isReleased) CountAcknowledged();
            _unacknowledged[number] = (id, true);
            break;
        }

        MqttPackets.WriteAck(_output, MqttPacketType.PubRel, MqttVersion.V311, packetId);
    }

    private void Finish(ushort packetId)
    {
        foreach (var (number, (id, _)) in _unacknowledged)
        {
            if (id != packetId) continue;
            _unacknowledged.Remove(number);
            if (qos == 1) CountAcknowledged();
            break;
        }
    }

    private void CountAcknowledged()
    {
        Acknowledged++;
        if (_awaited is { } awaited && Acknowledged >= awaited.Count) awaited.Reached.TrySetResult();
    }

    internal bool IsSettled => _unacknowledged.Count == 0;

    private void Flush()
    {
        if (_output.WrittenCount == 0) return;
        _socket!.Send(_output.WrittenSpan);
        _output.ResetWrittenCount();
    }
}
