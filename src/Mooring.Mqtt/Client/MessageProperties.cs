using System.Text;
using Mooring.Mqtt.Codec;
using Mooring.Mqtt.Tracing;

namespace Mooring.Mqtt.Client;

/// <summary>Between the properties of a PUBLISH or a will and those of <see cref="MqttMessage"/>.</summary>
internal static class MessageProperties
{
    internal static void Write(PropertyWriter output, MqttMessage message)
    {
        if (message.PayloadIsUtf8) output.WriteByte(PropertyId.PayloadFormatIndicator, 1);
        if (message.MessageExpirySeconds is { } seconds) output.WriteUInt32(PropertyId.MessageExpiryInterval, seconds);
        if (message.ContentType is { } type) output.WriteText(PropertyId.ContentType, Checked(type));
        if (message.ResponseTopic is { } response)
        {
            if (response.AsSpan().ContainsAny('+', '#')) throw new ArgumentException($"the response topic '{response}' has wildcards", nameof(message));
            output.WriteText(PropertyId.ResponseTopic, Checked(response));
        }
        if (!message.CorrelationData.IsEmpty) output.WriteBinary(PropertyId.CorrelationData, message.CorrelationData.Span);
        for (var i = 0; i < message.UserProperties.Count; i++)
        {
            output.WriteUserProperty(Checked(message.UserProperties[i].Key), Checked(message.UserProperties[i].Value));
        }
        MqttTracing.Write(output, message);
    }

    /// <summary>A broker would end the connection over U+0000 (MQTT-1.5.4-2).</summary>
    private static string Checked(string text) =>
        text.Contains('\0') ? throw new ArgumentException("a text property holds U+0000") : text;

    /// <summary>What a PUBLISH without the properties would be, with them.</summary>
    internal static MqttMessage Read(PropertyBlock properties, MqttMessage plain)
    {
        bool isText = false;
        uint? expiry = null;
        string? contentType = null, responseTopic = null;
        ReadOnlyMemory<byte> correlation = default;
        List<KeyValuePair<string, string>>? pairs = null;
        List<uint>? identifiers = null;
        var reader = properties.Read();
        while (reader.MoveNext())
        {
            switch (reader.Id)
            {
                case PropertyId.PayloadFormatIndicator:
                    isText = reader.Number == 1;
                    break;
                case PropertyId.MessageExpiryInterval:
                    expiry = reader.Number;
                    break;
                case PropertyId.ContentType:
                    contentType = Encoding.UTF8.GetString(reader.Bytes);
                    break;
                case PropertyId.ResponseTopic:
                    responseTopic = Encoding.UTF8.GetString(reader.Bytes);
                    break;
                case PropertyId.CorrelationData:
                    correlation = reader.Bytes.ToArray();
                    break;
                case PropertyId.SubscriptionIdentifier:
                    (identifiers ??= []).Add(reader.Number);
                    break;
                case PropertyId.UserProperty:
                    (pairs ??= []).Add(new(Encoding.UTF8.GetString(reader.Bytes), Encoding.UTF8.GetString(reader.PairValue)));
                    break;
            }
        }
        return plain with
        {
            PayloadIsUtf8 = isText,
            MessageExpirySeconds = expiry,
            ContentType = contentType,
            ResponseTopic = responseTopic,
            CorrelationData = correlation,
            UserProperties = pairs ?? plain.UserProperties,
            SubscriptionIdentifiers = identifiers ?? plain.SubscriptionIdentifiers,
            Trace = pairs is null ? null : MqttTracing.Read(properties),
        };
    }

    /// <summary>The server's own words, if it gave any.</summary>
    internal static string? ReasonText(PropertyBlock properties)
    {
        var reader = properties.Read();
        while (reader.MoveNext())
        {
            if (reader.Id == PropertyId.ReasonString) return Encoding.UTF8.GetString(reader.Bytes);
        }
        return null;
    }
}
