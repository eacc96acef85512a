using System.Buffers.Binary;
using System.Runtime.Versioning;
using System.Text;
using Mooring.Bench.Mqtt;

namespace Mooring.Bench.Fleet;

/// <summary>Where a car stands in the connect sequence.</summary>
internal enum GatewayPhase
{
    /// <summary>Connect was or will be sent.</summary>
    AwaitsConnectResponse,

    /// <summary>The CONNECTING status was sent.</summary>
    AwaitsFirstResponse,

    /// <summary>Waits for the first command.</summary>
    AwaitsFirstCommand,

    /// <summary>Statuses are answered one for one.</summary>
    Normal,
}

/// <summary>One car with one device, as its gateway behaves towards the server.</summary>
[SupportedOSPlatform("linux")]
internal sealed class GatewayCar
{
    /// <summary>Unanswered statuses whose time of sending is kept; a gateway would have given up long before.</summary>
    private const int KeptTimes = 64;

    private readonly LoadConnection _connection;
    private readonly byte[] _topic;
    private readonly string _session;
    private readonly string _company;
    private readonly string _name;
    private readonly byte[] _device;
    private readonly byte[] _statusData;
    private readonly long[] _sentAt = new long[KeptTimes];
    private ushort _packetId;
    private uint _counter;
    private uint _expected = 1;

    internal GatewayCar(LoadConnection connection, string company, string name, byte[] device, byte[] statusData)
    {
        _connection = connection;
        _company = company;
        _name = name;
        _device = device;
        _statusData = statusData;
        _topic = Encoding.UTF8.GetBytes($"{company}/{name}/module_gateway");
        _session = $"s{connection.Index:D7}";
    }

    internal GatewayPhase Phase { get; private set; }

    internal LoadConnection Connection => _connection;

    internal uint Outstanding => _counter + 1 - _expected;

    /// <summary>Responses that came out of order, twice or for nothing.</summary>
    internal long Faults { get; private set; }

    internal void SendConnect()
    {
        Publish(FleetBytes.EncodeConnect(_session, _company, _name, _device));
    }

    internal void SendStatus(int state, long now)
    {
        _counter++;
        _sentAt[_counter % KeptTimes] = now;
        Publish(FleetBytes.EncodeStatus(_session, state, _counter, _device, _statusData));
    }

    /// <summary>Handles a message; returns the time at which the answered status was sent, or null for anything else.</summary>
    internal long? Receive(ReadOnlySpan<byte> message, long now)
    {
        var (kind, counter) = FleetBytes.Read(message);
        switch (kind)
        {
            case FleetBytes.ConnectResponse when Phase == GatewayPhase.AwaitsConnectResponse:
                Phase = GatewayPhase.AwaitsFirstResponse;
                SendStatus(FleetBytes.StateConnecting, now);
                return null;
            case FleetBytes.StatusResponse:
                if (counter != _expected) Faults++;
                _expected = counter + 1;
                if (Phase == GatewayPhase.AwaitsFirstResponse) Phase = GatewayPhase.AwaitsFirstCommand;
                return Phase == GatewayPhase.Normal ? _sentAt[counter % KeptTimes] : null;
            case FleetBytes.Command:
                Publish(FleetBytes.EncodeCommandResponse(_session, counter));
                if (Phase == GatewayPhase.AwaitsFirstCommand) Phase = GatewayPhase.Normal;
                return null;
            default:
                Faults++;
                return null;
        }
    }

    internal void Acknowledge(ushort packetId)
    {
        var ack = _connection.Append(MqttBytes.AckBytes);
        ack[0] = MqttBytes.PublishAck;
        ack[1] = MqttBytes.AckBytes - 2;
        BinaryPrimitives.WriteUInt16BigEndian(ack[2..], packetId);
    }

    // PUBLISH QoS 1: 32, remaining length, topic, packet id, payload.
    private void Publish(ReadOnlySpan<byte> payload)
    {
        const byte PublishAtLeastOnce = MqttBytes.Publish | 2;
        _packetId = (ushort)(_packetId % ushort.MaxValue + 1);
        var remaining = 2 + _topic.Length + 2 + payload.Length;
        var space = _connection.Append((remaining < 128 ? 2 : 3) + remaining);
        space[0] = PublishAtLeastOnce;
        if (remaining < 128)
        {
            space[1] = (byte)remaining;
            space = space[2..];
        }
        else
        {
            space[1] = (byte)(remaining | 0x80);
            space[2] = (byte)(remaining >> 7);
            space = space[3..];
        }
        BinaryPrimitives.WriteUInt16BigEndian(space, (ushort)_topic.Length);
        _topic.CopyTo(space[2..]);
        BinaryPrimitives.WriteUInt16BigEndian(space[(2 + _topic.Length)..], _packetId);
        payload.CopyTo(space[(4 + _topic.Length)..]);
    }
}
