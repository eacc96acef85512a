using Mooring.Mqtt.Broker.Sessions;

namespace Mooring.Mqtt.Broker.Routing;

/// <summary>Everyone who gets messages of one topic, as of one state of the subscriptions.</summary>
/// <param name="Epoch">The state; a route of an older one is computed again.</param>
/// <param name="Targets">One entry per session, its overlapping subscriptions merged.</param>
/// <param name="Shares">Share groups; each gets one copy.</param>
internal sealed record Route(long Epoch, Target[] Targets, ShareGroup[] Shares)
{
    /// <summary>Whether clients in this process are among them.</summary>
    internal bool HasLocal { get; } = 
        Targets.Any(target => target.Session.Local is not null)
        || Shares.Any(share => share.Members.Any(member => member.Session.Local is not null));

    internal bool IsEmpty => Targets.Length == 0 && Shares.Length == 0;
}

/// <summary>
/// A session and what its matching subscriptions ask for together: highest QoS, RETAIN kept if any asks, all identifiers.
/// </summary>
internal readonly record struct Target(
    Session Session, QualityOfService MaximumQualityOfService, bool RetainAsPublished, bool HasNoLocal, uint[] Identifiers)
{
    internal static Target Of(Subscription subscription) => new(
        subscription.Session, subscription.MaximumQualityOfService, subscription.RetainAsPublished, subscription.NoLocal,
        subscription.Identifier == 0 ? [] : [subscription.Identifier]);

    internal Target Merge(Subscription other) => this with
    {
        MaximumQualityOfService = (QualityOfService)Math.Max((byte)MaximumQualityOfService, (byte)other.MaximumQualityOfService),
        RetainAsPublished = RetainAsPublished || other.RetainAsPublished,
        HasNoLocal = HasNoLocal || other.NoLocal,
        Identifiers = other.Identifier == 0 ? Identifiers : [.. Identifiers, other.Identifier],
    };
}

/// <summary>Members of one share whose filter matches; one of them gets each message (MQTT-4.8.2).</summary>
internal sealed class ShareGroup(Target[] members)
{
    private uint _next;

    internal IReadOnlyList<Target> Members => members;

    /// <summary>Connected members in turn; when none is connected, any member that keeps messages.</summary>
    internal Target Choose()
    {
        var start = Interlocked.Increment(ref _next);
        for (var i = 0; i < members.Length; i++)
        {
            var member = members[(start + i) % members.Length];
            if (member.Session.IsReadyForShare)
            {
                return member;
            }
        }

        return members[start % members.Length];
    }
}
