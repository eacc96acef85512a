using System.Buffers;
using System.Net.Sockets;
using Mooring.Kernel.Links;
using Mooring.Mqtt.Client.Sessions;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Client.Connections;

/// <summary>The receiver: everything that one read brought is dispatched, then the sender is woken once.</summary>
internal sealed partial class ClientConnection
{
    private async Task ReceiveAsync()
    {
        try
        {
            await _reader.RunAsync(DispatchAsync, ReadDone, _aborted.Token).ConfigureAwait(false);
            End(LinkEnd.Retry("the broker closed the connection"));
        }
        catch (ConnectionEndException e)
        {
            End(e.End);
        }
        catch (MqttProtocolException e)
        {
            _log.ProtocolError(_options.Server, e.Message);
            // DISCONNECT of 3.1.1 has no reason: it would mean that all is well, and delete the will.
            var canTell = _options.Version == MqttVersion.V500;
            if (canTell) _session.Close(this, e.Reason);
            End(LinkEnd.Retry($"protocol error: {e.Message}"), saysGoodbye: canTell);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            End(LinkEnd.Retry($"connection lost: {e.Message}"));
        }
        catch (Exception e)
        {
            _log.Unexpected(_options.Server, e);
            End(LinkEnd.Retry($"connection lost: {e.Message}"));
        }
    }

    private ValueTask ReadDone()
    {
        _keepAlive?.Received();
        return default;
    }

    /// <summary>A packet that was read from the pipe's memory, as a whole span.</summary>
    private MqttFrame FrameOf(ReceivedFrame received)
    {
        var length = (int)received.Body.Length;
        if (received.Body.IsSingleSegment) return new MqttFrame(received.FirstByte, received.Body.FirstSpan, length);
        if (_scratch.Length < length) _scratch = new byte[Math.Max(length, _scratch.Length * 2)];
        received.Body.CopyTo(_scratch);
        return new MqttFrame(received.FirstByte, _scratch.AsSpan(0, length), length);
    }

    private ValueTask<bool> DispatchAsync(ReceivedFrame received)
    {
        var frame = FrameOf(received);
        switch (frame.Type)
        {
            case MqttPacketType.Publish:
                return OnPublishAsync(frame);
            case MqttPacketType.PubAck or MqttPacketType.PubRec or MqttPacketType.PubRel or MqttPacketType.PubComp:
                OnAck(frame);
                break;
            case MqttPacketType.SubAck or MqttPacketType.UnsubAck:
                OnFilterAnswer(frame);
                break;
            case MqttPacketType.PingResp:
                EmptyPacket.Read(frame);
                break;
            case MqttPacketType.Disconnect when _options.Version == MqttVersion.V500:
                OnDisconnect(frame);
                break;
            default:
                MqttProtocolException.ThrowProtocolError($"a broker may not send {frame.Type} here");
                break;
        }
        return new ValueTask<bool>(true);
    }

    private ValueTask<bool> OnPublishAsync(in MqttFrame frame)
    {
        var publish = PublishView.Read(frame, _options.Version);
        var topic = _topics.Resolve(publish);
        if (!_session.TryReceive(this, publish.QualityOfService, publish.PacketId, out var sessionNumber)) return new ValueTask<bool>(true);
        byte[]? rented = null;
        if (publish.Payload.Length > 0)
        {
            rented = ArrayPool<byte>.Shared.Rent(publish.Payload.Length);
            publish.Payload.CopyTo(rented);
        }
        var message = new MqttMessage
        {
            Topic = topic,
            Payload = rented.AsMemory(0, publish.Payload.Length),
            QualityOfService = publish.QualityOfService,
            Retain = publish.Retain,
            Duplicate = publish.Duplicate,
        };
        if (!publish.Properties.IsEmpty) message = MessageProperties.Read(publish.Properties, message);
        var added = _inbox.AddAsync(new Inbound(message, rented, publish.PacketId, this, sessionNumber), _aborted.Token);
        return added.IsCompletedSuccessfully ? new ValueTask<bool>(true) : GoOnAfterAsync(added);
    }

    private static async ValueTask<bool> GoOnAfterAsync(ValueTask added)
    {
        await added.ConfigureAwait(false);
        return true;
    }

    private void OnAck(in MqttFrame frame)
    {
        var ack = AckView.Read(frame, _options.Version);
        var text = ack.Properties.IsEmpty ? null : MessageProperties.ReasonText(ack.Properties);
        switch (frame.Type)
        {
            case MqttPacketType.PubAck:
                _session.OnPubAck(ack.PacketId, ack.Reason, text);
                break;
            case MqttPacketType.PubRec:
                _session.OnPubRec(ack.PacketId, ack.Reason, text);
                break;
            case MqttPacketType.PubRel:
                _session.OnPubRel(this, ack.PacketId);
                break;
            default:
                _session.OnPubComp(ack.PacketId);
                break;
        }
    }

    private void OnFilterAnswer(in MqttFrame frame)
    {
        var answer = CodesView.Read(frame, _options.Version);
        var text = answer.Properties.IsEmpty ? null : MessageProperties.ReasonText(answer.Properties);
        if (frame.Type == MqttPacketType.SubAck) _session.OnSubAck(answer.PacketId, answer.Codes, text);
        else _session.OnUnsubAck(answer.PacketId);
    }

    private void OnDisconnect(in MqttFrame frame)
    {
        var view = ReasonView.Read(frame, _options.Version, fromClient: false);
        var text = MessageProperties.ReasonText(view.Properties) ?? ServerLimits.Read(view.Properties).Reference;
        throw new ConnectionEndException(LinkEnd.Retry($"the broker disconnected: {Refusals.Words(view.Reason, text)}"));
    }
}
