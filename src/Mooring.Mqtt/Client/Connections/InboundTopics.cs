using System.Text;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Client.Connections;

/// <summary>
/// From the topic bytes of one connection to texts: aliases that the broker has set, and a small cache, since brokers repeat few topics
/// for ever and each would be a new string otherwise.
/// </summary>
internal sealed class InboundTopics(int aliasesMax)
{
    private const int CachedTopics = 256;
    private const int CachedTopicBytesMax = 256;

    private readonly (byte[] Bytes, string Text)[] _cache = new (byte[], string)[CachedTopics];
    private string?[] _aliases = [];

    /// <exception cref="MqttProtocolException">The alias or the topic is not valid.</exception>
    internal string Resolve(in PublishView publish)
    {
        ushort? alias = publish.Properties.IsEmpty ? null : AliasOf(publish.Properties);
        if (alias is { } number && (number == 0 || number > aliasesMax))
        {
            MqttProtocolException.Throw(MqttReasonCode.TopicAliasInvalid, $"topic alias {number}; 1 to {aliasesMax} are allowed");
        }
        if (publish.Topic.IsEmpty)
        {
            var known = alias is { } used && used <= _aliases.Length ? _aliases[used - 1] : null;
            if (known is null) MqttProtocolException.ThrowProtocolError("a message without a topic, and with no alias that was set before");
            return known!;
        }
        var text = TextOf(publish.Topic);
        if (alias is { } set)
        {
            if (_aliases.Length == 0) _aliases = new string?[aliasesMax];
            _aliases[set - 1] = text;
        }
        return text;
    }

    private static ushort? AliasOf(PropertyBlock properties)
    {
        var reader = properties.Read();
        while (reader.MoveNext())
        {
            if (reader.Id == PropertyId.TopicAlias) return (ushort)reader.Number;
        }
        return null;
    }

    private string TextOf(ReadOnlySpan<byte> topic)
    {
        var hash = new HashCode();
        hash.AddBytes(topic);
        ref var slot = ref _cache[(uint)hash.ToHashCode() % CachedTopics];
        if (slot.Bytes is not null && topic.SequenceEqual(slot.Bytes)) return slot.Text;
        if (!TopicName.IsValid(topic)) MqttProtocolException.Throw(MqttReasonCode.TopicNameInvalid, "a message whose topic has wildcards");
        var text = Encoding.UTF8.GetString(topic);
        if (topic.Length <= CachedTopicBytesMax) slot = (topic.ToArray(), text);
        return text;
    }
}
