using System.Buffers;
using System.Text;
using Mooring.Mqtt.Codec;
using Mooring.Mqtt.Tests.Codec;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Client;

/// <summary>The broker's end of one connection: sends the packets a test names, shows every packet it gets as text.</summary>
internal sealed class ScriptedConnection(InMemoryConnection connection, MqttVersion version)
{
    internal CancellationToken TimeLimit { get; set; }

    /// <summary>CONNECT as text.</summary>
    internal string Connect { get; set; } = "";

    /// <summary>The next packet as text, or "closed".</summary>
    internal async Task<string> ReceiveAsync()
    {
        var input = connection.Transport.Input;
        while (true)
        {
            System.IO.Pipelines.ReadResult read;
            try
            {
                read = await input.ReadAsync(TimeLimit);
            }
            catch (IOException)
            {
                return "closed";
            }
            var rest = read.Buffer;
            if (!rest.IsEmpty && MqttFraming.TryRead(ref rest, 1 << 28, out var firstByte, out var body))
            {
                var text = PacketDump.Of(new MqttFrame(firstByte, body.ToArray(), (int)body.Length), version);
                input.AdvanceTo(rest.Start);
                return text;
            }
            input.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted) return "closed";
        }
    }

    /// <summary>Expects packets in this order.</summary>
    internal async Task ExpectAsync(params string[] packets)
    {
        foreach (var packet in packets) Assert.Equal(packet, await ReceiveAsync());
    }

    internal Task SendAsync(string hex) => SendAsync(Convert.FromHexString(hex));

    internal async Task SendAsync(ReadOnlyMemory<byte> bytes) => await connection.Transport.Output.WriteAsync(bytes, TimeLimit);

    internal Task SendAsync(Action<IBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        return SendAsync(output.WrittenMemory);
    }

    internal Task ConnAckAsync(bool sessionPresent = false, MqttReasonCode reason = MqttReasonCode.Success, string properties = "") =>
        SendAsync(output => MqttPackets.WriteConnAck(output, version, sessionPresent, reason, Convert.FromHexString(properties)));

    internal Task PublishAsync(
        string topic, string payload, int qos = 0, ushort id = 0, bool duplicate = false, string properties = "", bool retain = false) =>
        SendAsync(output => MqttPackets.WritePublish(
            output, version, (byte)(qos << 1 | (duplicate ? 8 : 0) | (retain ? 1 : 0)), Encoding.UTF8.GetBytes(topic), id,
            Convert.FromHexString(properties), Encoding.UTF8.GetBytes(payload)));

    internal Task AckAsync(MqttPacketType type, ushort id, MqttReasonCode reason = MqttReasonCode.Success, string properties = "") =>
        SendAsync(output => MqttPackets.WriteAck(output, type, version, id, reason, Convert.FromHexString(properties)));

    internal Task SubAckAsync(ushort id, params byte[] codes) =>
        SendAsync(output => MqttPackets.WriteCodes(output, MqttPacketType.SubAck, version, id, codes));

    internal Task UnsubAckAsync(ushort id, params byte[] codes) =>
        SendAsync(output => MqttPackets.WriteCodes(output, MqttPacketType.UnsubAck, version, id, codes));

    /// <summary>The client has handled everything sent before, and has sent nothing but this.</summary>
    internal async Task ExpectNothingAsync()
    {
        // A PUBREL of an unknown id is answered at once.
        await AckAsync(MqttPacketType.PubRel, ushort.MaxValue);
        var answer = version == MqttVersion.V500 ? MqttReasonCode.PacketIdentifierNotFound : MqttReasonCode.Success;
        await ExpectAsync($"PubComp id={ushort.MaxValue} {answer}");
    }

    internal ValueTask CloseAsync() => connection.DisposeAsync();

    internal void Reset() => connection.Abort();
}
