using System.Text;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Client.Sessions;

/// <summary>One filter, its handlers, and what the broker knows of it. Needs the session's lock.</summary>
internal sealed class FilterEntry
{
    private FilterEntry(MqttSubscription wanted, byte[] encoded, byte[] inner)
    {
        Wanted = wanted;
        Encoded = encoded;
        Inner = inner;
        ExactTopic = TopicFilter.HasWildcards(inner) ? null : Encoding.UTF8.GetString(inner);
    }

    /// <summary>The options asked for last.</summary>
    internal MqttSubscription Wanted { get; set; }

    internal string Filter => Wanted.Filter;

    internal byte[] Encoded { get; }

    /// <summary>The filter without a share prefix: what topics are compared with.</summary>
    internal byte[] Inner { get; }

    internal bool IsShared => Inner.Length != Encoded.Length;

    /// <summary>The one topic that a filter without wildcards matches; otherwise null.</summary>
    internal string? ExactTopic { get; }

    internal MqttMessageHandler[] Handlers { get; set; } = [];

    /// <summary>The broker has acknowledged it, with the options asked for last.</summary>
    internal bool IsEstablished { get; set; }

    /// <summary>The broker's session may have it: a SUBSCRIBE went out and was not refused.</summary>
    internal bool MayExist { get; set; }

    /// <summary>What subscribers wait for; null when nobody does.</summary>
    internal TaskCompletionSource? Subscribing { get; set; }

    /// <summary>What a disposer waits for; null when nobody does.</summary>
    internal TaskCompletionSource? Unsubscribing { get; set; }

    /// <summary>Layout of the options byte: MQTT-3.8.3.1.</summary>
    internal byte OptionsFor(MqttVersion version) => (byte)((int)Wanted.MaximumQualityOfService
        | (version != MqttVersion.V500
            ? 0
            : (Wanted.NoLocal ? 0x04 : 0) | (Wanted.RetainAsPublished ? 0x08 : 0) | ((int)Wanted.RetainHandling << 4)));

    /// <exception cref="MqttRefusedException">The filter is not one.</exception>
    /// <exception cref="ArgumentException">The options are not valid.</exception>
    internal static FilterEntry Create(MqttSubscription wanted)
    {
        var encoded = Encoding.UTF8.GetBytes(wanted.Filter);
        if (!TopicFilter.IsValid(encoded) || !TopicFilter.TrySplitShare(encoded, out _, out var inner))
        {
            throw new MqttRefusedException((byte)MqttReasonCode.TopicFilterInvalid, $"'{wanted.Filter}' is not a topic filter");
        }
        ArgumentOutOfRangeException.ThrowIfGreaterThan((int)wanted.MaximumQualityOfService, (int)QualityOfService.ExactlyOnce);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((int)wanted.RetainHandling, (int)RetainHandling.DoNotSend);
        if (wanted.Identifier is 0 or > VariableByteInteger.Maximum)
        {
            throw new ArgumentException($"a subscription identifier is 1 to {VariableByteInteger.Maximum}, not {wanted.Identifier}", nameof(wanted));
        }
        // MQTT-3.8.3-4: a broker would end the connection.
        if (wanted.NoLocal && inner.Length != encoded.Length) throw new ArgumentException("a shared subscription cannot be 'no local'", nameof(wanted));
        return new FilterEntry(wanted, encoded, inner.ToArray());
    }
}
