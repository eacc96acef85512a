using System.Text;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Client.Connections;

/// <summary>What the broker granted in CONNACK; the defaults are those of the standard (MQTT-3.2.2.3).</summary>
internal sealed record ServerLimits
{
    internal ushort ReceiveMaximum { get; private set; } = ushort.MaxValue;

    internal uint MaximumPacketBytes { get; private set; } = uint.MaxValue;

    internal ushort TopicAliasMaximum { get; private set; }

    internal QualityOfService MaximumQualityOfService { get; private set; } = QualityOfService.ExactlyOnce;

    internal bool TakesRetained { get; private set; } = true;

    internal bool TakesWildcards { get; private set; } = true;

    internal bool TakesIdentifiers { get; private set; } = true;

    internal bool TakesShares { get; private set; } = true;

    internal TimeSpan? KeepAlive { get; private set; }

    internal string? AssignedClientId { get; private set; }

    internal string? Reference { get; private set; }

    internal static ServerLimits Read(PropertyBlock properties)
    {
        var limits = new ServerLimits();
        var reader = properties.Read();
        while (reader.MoveNext()) limits.Apply(reader);
        return limits;
    }

    private void Apply(PropertyReader property)
    {
        switch (property.Id)
        {
            case PropertyId.ReceiveMaximum:
                ReceiveMaximum = (ushort)property.Number;
                break;
            case PropertyId.MaximumPacketSize:
                MaximumPacketBytes = property.Number;
                break;
            case PropertyId.TopicAliasMaximum:
                TopicAliasMaximum = (ushort)property.Number;
                break;
            case PropertyId.MaximumQoS:
                MaximumQualityOfService = (QualityOfService)property.Number;
                break;
            case PropertyId.RetainAvailable:
                TakesRetained = property.Number == 1;
                break;
            case PropertyId.WildcardSubscriptionAvailable:
                TakesWildcards = property.Number == 1;
                break;
            case PropertyId.SubscriptionIdentifiersAvailable:
                TakesIdentifiers = property.Number == 1;
                break;
            case PropertyId.SharedSubscriptionAvailable:
                TakesShares = property.Number == 1;
                break;
            case PropertyId.ServerKeepAlive:
                KeepAlive = TimeSpan.FromSeconds(property.Number);
                break;
            case PropertyId.AssignedClientIdentifier:
                AssignedClientId = Encoding.UTF8.GetString(property.Bytes);
                break;
            case PropertyId.ServerReference:
                Reference = Encoding.UTF8.GetString(property.Bytes);
                break;
        }
    }
}
