using System.Collections.Concurrent;
using Mooring.Mqtt.Broker.Persistence;
using Mooring.Mqtt.Broker.Sessions;

namespace Mooring.Mqtt.Broker.Routing;

/// <summary>The last retained message of each topic (MQTT-3.3.1.3), bounded by count and bytes.</summary>
internal sealed class RetainedStore(int messagesMaximum, long bytesMaximum)
{
    private readonly ConcurrentDictionary<byte[], RoutedMessage> _messages = new(Utf8Comparer.Instance);
    private readonly Lock _gate = new();
    private long _bytes;

    /// <summary>Where changes are recorded, in the order in which they are made.</summary>
    internal Journal? Journal { get; set; }

    internal int Count => _messages.Count;

    internal long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Keeps, replaces or (with an empty payload) deletes; false when the store is full.</summary>
    internal bool Keep(RoutedMessage message)
    {
        lock (_gate)
        {
            var lookup = _messages.GetAlternateLookup<ReadOnlySpan<byte>>();
            lookup.TryGetValue(message.Topic, out var former);
            if (message.Payload.IsEmpty)
            {
                if (former is not null)
                {
                    Journal?.RetainedGone(message.Topic);
                    lookup.TryRemove(message.Topic, out _);
                    Interlocked.Add(ref _bytes, -former.Size);
                }

                return true;
            }

            var growth = message.Size - (former?.Size ?? 0);
            if ((former is null && _messages.Count >= messagesMaximum) || Bytes + growth > bytesMaximum)
            {
                return false;
            }

            Journal?.Retained(message);
            lookup[message.Topic] = message;
            Interlocked.Add(ref _bytes, growth);
            return true;
        }
    }

    /// <summary>Puts back what was kept before a restart, unless something newer is there.</summary>
    internal void Restore(RoutedMessage message)
    {
        lock (_gate)
        {
            if (_messages.TryAdd(message.Topic.ToArray(), message))
            {
                Interlocked.Add(ref _bytes, message.Size);
            }
        }
    }

    /// <summary>Writes everything for a checkpoint, a little at a time: publishers wait for one message at most.</summary>
    internal void WriteWhole(Journal journal)
    {
        foreach (var (topic, _) in _messages)
        {
            lock (_gate)
            {
                if (_messages.TryGetValue(topic, out var message))
                {
                    journal.Retained(message);
                }
            }
        }
    }

    /// <summary>
    /// Topics that have a message. Those that come or go meanwhile may be missing or too many: the former reach a subscriber as live
    /// messages, the latter are not found by <see cref="Give"/>.
    /// </summary>
    internal IEnumerable<byte[]> Topics => _messages.Select(entry => entry.Key);

    /// <summary>The messages; those that come or go meanwhile may be missing or too many.</summary>
    internal IEnumerable<RoutedMessage> Messages => _messages.Select(entry => entry.Value);

    /// <summary>
    /// Delivers the message of one topic to a new subscription, if it may see it. The message cannot be replaced meanwhile, so what
    /// replaces it arrives after it.
    /// </summary>
    internal void Give(byte[] topic, Subscription subscription, long now, Action<Delivery> deliver)
    {
        lock (_gate)
        {
            if (_messages.TryGetValue(topic, out var message) && !message.IsExpired(now))
            {
                subscription.GiveRetained(message, deliver);
            }
        }
    }
}
