using System.Buffers;
using Mooring.Kernel.Framing;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Client.Connections;

/// <summary>One packet in the receive buffer, valid until it has been dispatched.</summary>
internal readonly record struct ReceivedFrame(byte FirstByte, ReadOnlySequence<byte> Body);

/// <summary>Cuts packets off; the size limit is judged at the fixed header.</summary>
internal sealed class ReceivedFrameParser(int packetBytesMax) : IFrameParser<ReceivedFrame>
{
    public bool TryRead(ref ReadOnlySequence<byte> buffer, out ReceivedFrame frame)
    {
        var found = MqttFraming.TryRead(ref buffer, packetBytesMax, out var firstByte, out var body);
        frame = new ReceivedFrame(firstByte, body);
        return found;
    }
}
