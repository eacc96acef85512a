using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker.Access;

/// <summary>A rule with one client's names put in.</summary>
/// <param name="Allow">True allows, false denies.</param>
/// <param name="Action">What it speaks about.</param>
/// <param name="Pattern">A topic filter; null for every topic, also of the server's own.</param>
internal readonly record struct Permission(bool Allow, AccessAction Action, byte[]? Pattern)
{
    internal bool Matches(ReadOnlySpan<byte> topic) => Pattern is null || TopicFilter.Matches(Pattern, topic);

    internal bool Covers(ReadOnlySpan<byte> filter) => Pattern is null || TopicFilter.Covers(Pattern, filter);
}

/// <summary>What one client may do. Immutable: a change of the rules makes new ones.</summary>
internal sealed class Permissions(Permission[] rules)
{
    internal bool MayPublish(ReadOnlySpan<byte> topic) => MayUse(AccessAction.Publish, topic);

    /// <summary>Asked for each topic that is routed to the client, so that a rule inside an allowed wildcard counts.</summary>
    internal bool MayReceive(ReadOnlySpan<byte> topic) => MayUse(AccessAction.Subscribe, topic);

    /// <summary>A filter is allowed when a rule allows all of it, and none before denies all of it.</summary>
    internal bool MaySubscribe(ReadOnlySpan<byte> filter)
    {
        foreach (var rule in rules)
        {
            if ((rule.Action & AccessAction.Subscribe) != 0 && rule.Covers(filter)) return rule.Allow;
        }
        return false;
    }

    private bool MayUse(AccessAction action, ReadOnlySpan<byte> topic)
    {
        foreach (var rule in rules)
        {
            if ((rule.Action & action) != 0 && rule.Matches(topic)) return rule.Allow;
        }
        return false;
    }
}
