using Mooring.Mqtt.Broker.Sessions;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker.Routing;

/// <summary>
/// Retained messages on their way to one new subscription with wildcards, a little at a time: a filter that matches a hundred thousand
/// of them must not keep others waiting, nor fill the subscriber's queue.
/// </summary>
internal sealed class RetainedCursor(RetainedStore store, Subscription subscription) : IDisposable
{
    /// <summary>Topics looked at in one step; a step takes some hundred microseconds.</summary>
    internal const int TopicsPerStep = 1024;

    private readonly IEnumerator<byte[]> _topics = store.Topics.GetEnumerator();
    private volatile bool _isCancelled;

    internal Subscription Subscription => subscription;

    /// <summary>Hands over what matches as long as there is room. False when nothing is left.</summary>
    internal bool Step(long now, Func<bool> hasRoom, Action<Delivery> deliver)
    {
        for (var looked = 0; looked < TopicsPerStep && !_isCancelled; looked++)
        {
            if (!hasRoom())
            {
                return true;
            }

            if (!_topics.MoveNext())
            {
                return false;
            }

            if (TopicFilter.Matches(subscription.Filter, _topics.Current))
            {
                store.Give(_topics.Current, subscription, now, deliver);
            }
        }

        return !_isCancelled;
    }

    /// <summary>The subscription is gone, or was made anew.</summary>
    internal void Cancel() => _isCancelled = true;

    public void Dispose() => _topics.Dispose();
}
