using System.Text;
using Mooring.Mqtt.Broker.Routing;
using Mooring.Mqtt.Codec;
using Mooring.Mqtt.Tracing;

namespace Mooring.Mqtt.Broker.Local;

/// <summary>Between the messages of the API and those of the router.</summary>
internal static class LocalMessages
{
    internal static byte[] Encode(MqttMessage message)
    {
        if (!message.PayloadIsUtf8 && message.ContentType is null && message.ResponseTopic is null && message.CorrelationData.IsEmpty
            && message.UserProperties.Count == 0 && message.Trace is null)
        {
            return [];
        }
        var properties = new PropertyWriter();
        if (message.PayloadIsUtf8) properties.WriteByte(PropertyId.PayloadFormatIndicator, 1);
        if (message.ContentType is { } type) properties.WriteText(PropertyId.ContentType, type);
        if (message.ResponseTopic is { } response) properties.WriteText(PropertyId.ResponseTopic, response);
        if (!message.CorrelationData.IsEmpty) properties.WriteBinary(PropertyId.CorrelationData, message.CorrelationData.Span);
        foreach (var (name, value) in message.UserProperties) properties.WriteUserProperty(name, value);
        MqttTracing.Write(properties, message);
        return properties.Written.ToArray();
    }

    internal static MqttMessage Decode(RoutedMessage stored, string? topic, QualityOfService qos, bool retain, uint[] identifiers)
    {
        var message = new MqttMessage
        {
            Topic = topic ?? Encoding.UTF8.GetString(stored.Topic),
            Payload = stored.PayloadMemory,
            QualityOfService = qos,
            Retain = retain,
            SubscriptionIdentifiers = identifiers,
            Trace = stored.Trace,
        };
        return stored.Properties.Length == 0 ? message : WithProperties(message, stored.Properties);
    }

    private static MqttMessage WithProperties(MqttMessage message, ReadOnlySpan<byte> properties)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        var reader = PropertyBlock.AlreadyValid(properties).Read();
        while (reader.MoveNext())
        {
            message = reader.Id switch
            {
                PropertyId.PayloadFormatIndicator => message with { PayloadIsUtf8 = reader.Number == 1 },
                PropertyId.ContentType => message with { ContentType = Encoding.UTF8.GetString(reader.Bytes) },
                PropertyId.ResponseTopic => message with { ResponseTopic = Encoding.UTF8.GetString(reader.Bytes) },
                PropertyId.CorrelationData => message with { CorrelationData = reader.Bytes.ToArray() },
                _ => message,
            };
            if (reader.Id == PropertyId.UserProperty) pairs.Add(new(Encoding.UTF8.GetString(reader.Bytes), Encoding.UTF8.GetString(reader.PairValue)));
        }
        return message with { UserProperties = pairs, Trace = message.Trace ?? MqttTracing.Read(PropertyBlock.AlreadyValid(properties)) };
    }
}
