using System.Text;
using System.Text.Json.Serialization;
using System.Text.Unicode;

namespace Mooring.Mqtt.Broker.Api;

/// <summary>A topic and its traffic.</summary>
internal sealed record TopicLine(string Topic, long Messages, long Bytes, double Rate, DateTimeOffset LastAt);

/// <summary>The busiest topics.</summary>
/// <param name="Topics">Those that are shown.</param>
/// <param name="Known">Topics that are counted.</param>
/// <param name="OtherMessages">Messages of topics beyond those.</param>
internal sealed record TopicsView(IReadOnlyList<TopicLine> Topics, int Known, long OtherMessages);

/// <summary>A subscription.</summary>
internal sealed record SubscriptionLine(string Filter, int Qos, bool NoLocal, bool RetainAsPublished);

/// <summary>A message. Its data is <see cref="Text"/>, or <see cref="Base64"/> when it is no text; long data is cut.</summary>
/// <param name="Topic">Its topic.</param>
/// <param name="Bytes">Length of its data.</param>
/// <param name="Text">Its data.</param>
/// <param name="Base64">Its data when it is no text.</param>
/// <param name="Qos">Its quality of service.</param>
/// <param name="Retain">Whether it is a retained one.</param>
internal sealed record MessageView(string Topic, int Bytes, string? Text, string? Base64, int Qos, bool Retain)
{
    public static MessageView Of(MqttMessage message)
    {
        var shown = message.Payload.Span[..Math.Min(message.Payload.Length, BrokerApiLimits.PayloadShown)];
        // The cut may fall into the middle of a character, of three more bytes at most.
        var isText = Utf8.IsValid(shown) || (shown.Length < message.Payload.Length && Enumerable.Range(1, 3).Any(less => Utf8.IsValid(message.Payload.Span[..(BrokerApiLimits.PayloadShown - less)])));
        return new MessageView(
            message.Topic, message.Payload.Length, isText ? Encoding.UTF8.GetString(shown) : null, isText ? null : Convert.ToBase64String(shown),
            (int)message.QualityOfService, message.Retain);
    }
}

/// <summary>What came in since the last time.</summary>
internal sealed record MessagesView(IReadOnlyList<MessageView> Messages, long Dropped);

/// <summary>A message to be published.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record PublishRequest(string? Topic, string? Text, string? Base64, int Qos, bool Retain);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(MqttBrokerStatistics))]
[JsonSerializable(typeof(IReadOnlyList<MqttClientView>))]
[JsonSerializable(typeof(IReadOnlyList<SubscriptionLine>))]
[JsonSerializable(typeof(IReadOnlyList<MessageView>))]
[JsonSerializable(typeof(TopicsView))]
[JsonSerializable(typeof(MessagesView))]
[JsonSerializable(typeof(PublishRequest))]
internal sealed partial class BrokerApiJson : JsonSerializerContext;
