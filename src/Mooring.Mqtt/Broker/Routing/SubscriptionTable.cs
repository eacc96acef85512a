using System.Collections.Concurrent;
using Mooring.Mqtt.Broker.Sessions;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker.Routing;

/// <summary>
/// All subscriptions. Publishing is far more frequent than subscribing: a publish looks up the topic's route without a lock, and a
/// change of any subscription only moves the epoch, upon which routes are computed again as they are asked for.
/// </summary>
internal sealed class SubscriptionTable(int cachedRoutesMaximum)
{
    /// <summary>Receivers of all cached routes, for each route that may be cached: a topic with a thousand of them takes more room.</summary>
    private const int CachedTargetsPerRoute = 10;

    private readonly Lock _gate = new();
    private readonly Dictionary<byte[], List<Subscription>> _exact = new(Utf8Comparer.Instance);
    private readonly FilterTrie _wildcards = new();
    private readonly ConcurrentDictionary<byte[], Route> _routes = new(Utf8Comparer.Instance);
    private long _epoch;
    private long _cachedTargets;
    private int _count;
    private int _shared;

    internal int Count => Volatile.Read(ref _count);

    /// <summary>Topics whose route is remembered.</summary>
    internal int CachedRoutes => _routes.Count;

    internal int SharedCount => Volatile.Read(ref _shared);

    /// <summary>Adds a subscription, or replaces <paramref name="former"/> without a moment in between (MQTT-3.8.4-3).</summary>
    internal void Set(Subscription subscription, Subscription? former)
    {
        lock (_gate)
        {
            if (former is not null)
            {
                Take_NeedsLock(former);
            }

            if (TopicFilter.HasWildcards(subscription.Filter))
            {
                _wildcards.Add(subscription);
            }
            else if (_exact.TryGetValue(subscription.Filter, out var list))
            {
                list.Add(subscription);
            }
            else
            {
                _exact[subscription.Filter] = new List<Subscription>(1) { subscription };
            }

            _count++;
            _shared += subscription.ShareName.Length > 0 ? 1 : 0;
            Interlocked.Increment(ref _epoch);
        }
    }

    internal void Remove(Subscription subscription)
    {
        lock (_gate)
        {
            Take_NeedsLock(subscription);
            Interlocked.Increment(ref _epoch);
        }
    }

    /// <summary>Routes are computed again: a session may now receive more, or less.</summary>
    internal void Touch() => Interlocked.Increment(ref _epoch);

    /// <summary>Whether no subscription has changed since <paramref name="route"/> was computed.</summary>
    internal bool IsCurrent(Route route) => route.Epoch == Volatile.Read(ref _epoch);

    internal Route Find(ReadOnlySpan<byte> topic)
    {
        var lookup = _routes.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (lookup.TryGetValue(topic, out var route) && IsCurrent(route))
        {
            return route;
        }

        var found = new List<Subscription>();
        long epoch;
        lock (_gate)
        {
            epoch = _epoch;
            FindAll_NeedsLock(topic, found);
        }

        RemoveForbidden(found, topic);
        route = Merge(epoch, found);
        // Topics that nobody listens to are not remembered: a client could name any number of them.
        if (!route.IsEmpty)
        {
            var targets = Interlocked.Add(ref _cachedTargets, route.Targets.Length + route.Shares.Sum(share => share.Members.Count));
            if (_routes.Count >= cachedRoutesMaximum || targets > (long)cachedRoutesMaximum * CachedTargetsPerRoute)
            {
                _routes.Clear();
                Interlocked.Exchange(ref _cachedTargets, 0);
            }

            lookup[topic] = route;
        }

        return route;
    }

    /// <summary>The members of a share that a topic is for; null when there is none.</summary>
    internal ShareGroup? FindShare(Subscription share, ReadOnlySpan<byte> topic)
    {
        var found = new List<Subscription>();
        lock (_gate)
        {
            FindAll_NeedsLock(topic, found);
        }

        found.RemoveAll(other => !other.ShareName.AsSpan().SequenceEqual(share.ShareName) || !other.Filter.AsSpan().SequenceEqual(share.Filter));
        RemoveForbidden(found, topic);
        return found.Count == 0 ? null : new ShareGroup([.. found.Select(Target.Of)]);
    }

    private void FindAll_NeedsLock(ReadOnlySpan<byte> topic, List<Subscription> found)
    {
        if (_exact.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(topic, out var list))
        {
            found.AddRange(list);
        }

        _wildcards.Match(topic, found);
    }

    /// <summary>A rule may deny a topic inside a filter that is allowed; judged here, it costs nothing per message.</summary>
    private static void RemoveForbidden(List<Subscription> found, ReadOnlySpan<byte> topic)
    {
        for (var i = found.Count - 1; i >= 0; i--)
        {
            if (found[i].Session.Permissions?.MayReceive(topic) == false)
            {
                found.RemoveAt(i);
            }
        }
    }

    private static Route Merge(long epoch, List<Subscription> found)
    {
        var targets = new Dictionary<Session, Target>();
        Dictionary<(string Share, string Filter), List<Target>>? shares = null;
        foreach (var subscription in found)
        {
            if (subscription.ShareName.Length > 0)
            {
                shares ??= [];
                var key = (Convert.ToHexString(subscription.ShareName), Convert.ToHexString(subscription.Filter));
                if (!shares.TryGetValue(key, out var members))
                {
                    shares[key] = members = [];
                }

                members.Add(Target.Of(subscription));
            }
            else
            {
                targets[subscription.Session] = targets.TryGetValue(subscription.Session, out var target)
                    ? target.Merge(subscription)
                    : Target.Of(subscription);
            }
        }

        return new Route(
            epoch, [.. targets.Values], shares is null ? [] : [.. shares.Values.Select(members => new ShareGroup([.. members]))]);
    }

    private void Take_NeedsLock(Subscription subscription)
    {
        if (TopicFilter.HasWildcards(subscription.Filter))
        {
            _wildcards.Remove(subscription);
        }
        else if (_exact.TryGetValue(subscription.Filter, out var list))
        {
            list.Remove(subscription);
            if (list.Count == 0)
            {
                _exact.Remove(subscription.Filter);
            }
        }

        _count--;
        _shared -= subscription.ShareName.Length > 0 ? 1 : 0;
    }
}
