using Mooring.Mqtt.Broker.Routing;

namespace Mooring.Mqtt.Broker.Connections;

/// <summary>
/// Topic aliases that the broker sets on one connection (MQTT-3.3.2.3.4): the first topics get one, until the client's maximum is
/// reached. Touched under the session's lock only, as everything that decides the order of PUBLISH packets.
/// </summary>
internal sealed class OutboundAliases(ushort maximum)
{
    /// <summary>A shorter topic is no longer than the property that would stand for it.</summary>
    internal const int TopicBytesMin = 4;

    private readonly Dictionary<byte[], ushort> _aliases = new(Utf8Comparer.Instance);

    /// <summary>The topic's alias, 0 for none; <paramref name="isNew"/> when the topic must be sent along this time.</summary>
    internal ushort Find(ReadOnlySpan<byte> topic, out bool isNew)
    {
        isNew = false;
        if (topic.Length < TopicBytesMin) return 0;
        var lookup = _aliases.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (lookup.TryGetValue(topic, out var alias)) return alias;
        if (_aliases.Count >= maximum) return 0;
        isNew = true;
        alias = (ushort)(_aliases.Count + 1);
        lookup[topic] = alias;
        return alias;
    }
}
