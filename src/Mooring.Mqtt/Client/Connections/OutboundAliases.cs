using System.Buffers.Binary;
using Mooring.Mqtt.Client.Sessions;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Client.Connections;

/// <summary>
/// Topic aliases that this client has set on a connection (MQTT-3.3.2.3.4): the first topics get them, as a client that has few
/// topics gains most. Needs the session's lock.
/// </summary>
internal sealed class OutboundAliases(int maximum)
{
    /// <summary>Property identifier and alias.</summary>
    internal const int AliasBytes = 3;

    /// <summary>A shorter topic is hardly longer than its alias.</summary>
    private const int TopicBytesMin = 10;

    private readonly Dictionary<string, ushort> _aliases = new(StringComparer.Ordinal);
    private byte[] _properties = new byte[64];

    internal static OutboundAliases? Create(int ours, int theirs) =>
        Math.Min(ours, theirs) is var maximum and > 0 ? new OutboundAliases(maximum) : null;

    /// <summary>
    /// The message's properties with an alias in front; false when it is sent without one. The topic is left out when the broker
    /// knows the alias already.
    /// </summary>
    internal bool TryUse(PendingPublish pending, out ReadOnlySpan<byte> properties, out bool topicIsKnown)
    {
        properties = default;
        topicIsKnown = _aliases.TryGetValue(pending.TopicText, out var alias);
        if (!topicIsKnown)
        {
            if (_aliases.Count >= maximum || pending.Topic.Length < TopicBytesMin) return false;
            alias = (ushort)(_aliases.Count + 1);
            _aliases.Add(pending.TopicText, alias);
        }
        var length = AliasBytes + pending.Properties.Length;
        if (_properties.Length < length) _properties = new byte[length * 2];
        _properties[0] = (byte)PropertyId.TopicAlias;
        BinaryPrimitives.WriteUInt16BigEndian(_properties.AsSpan(1), alias);
        pending.Properties.CopyTo(_properties.AsSpan(AliasBytes));
        properties = _properties.AsSpan(0, length);
        return true;
    }
}
