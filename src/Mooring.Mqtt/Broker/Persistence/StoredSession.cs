using Mooring.Mqtt.Broker.Routing;

namespace Mooring.Mqtt.Broker.Persistence;

/// <summary>A session as the journal tells it.</summary>
internal sealed class StoredSession(int number, string clientId, string? userName)
{
    private readonly Dictionary<ushort, (long Sequence, StoredDelivery? Delivery)> _inFlight = [];
    private long _sequence;

    internal int Number { get; } = number;

    internal string ClientId { get; } = clientId;

    internal string? UserName { get; } = userName;

    internal uint ExpirySeconds { get; set; }

    /// <summary>Milliseconds of UTC; 0 while its client was connected.</summary>
    internal long EndsAt { get; set; }

    internal Dictionary<byte[], (byte Options, uint Identifier)> Subscriptions { get; } = new(Utf8Comparer.Instance);

    internal Queue<StoredDelivery> Waiting { get; } = new(capacity: 4);

    /// <summary>What was sent and not acknowledged, in the order of sending; without a message when only PUBREL is repeated.</summary>
    internal IEnumerable<(ushort Id, StoredDelivery? Delivery)> InFlight =>
        _inFlight.OrderBy(entry => entry.Value.Sequence).Select(entry => (entry.Key, entry.Value.Delivery));

    internal HashSet<ushort> Received { get; } = [];

    internal StoredWill? Will { get; set; }

    /// <summary>Checkpoint in which it was last written whole.</summary>
    internal int Checkpoint { get; init; }

    internal void Sent(ushort id, StoredDelivery delivery) => _inFlight[id] = (++_sequence, delivery);

    internal void Released(ushort id) =>
        _inFlight[id] = (_inFlight.TryGetValue(id, out var former) ? former.Sequence : ++_sequence, null);

    internal void Done(ushort id) => _inFlight.Remove(id);
}

/// <summary>A message of a session; the message itself is null when its record was lost.</summary>
internal readonly record struct StoredDelivery(StoredMessage? Message, QualityOfService QualityOfService, bool Retain, uint[] Identifiers);

/// <summary>A will that waited, or would have waited (due at 0).</summary>
internal sealed record StoredWill(StoredMessage Message, uint DelaySeconds, uint? ExpirySeconds, long DueAt);

/// <summary>A message as the journal tells it.</summary>
/// <param name="Number">Its number in the journal.</param>
/// <param name="Routed">The message, its expiry in the broker's time.</param>
internal sealed record StoredMessage(long Number, RoutedMessage Routed);

/// <summary>A QoS 2 message that was received and not yet routed to every session.</summary>
/// <param name="Message">The message.</param>
/// <param name="Reached">Clients whose sessions have it.</param>
internal sealed record StoredIntent(StoredMessage Message, HashSet<string> Reached);

/// <summary>Everything that the journal tells.</summary>
/// <param name="Sessions">Sessions, one of each client.</param>
/// <param name="Retained">Retained messages, one of each topic.</param>
/// <param name="Intents">Messages whose routing the end of the process cut off.</param>
/// <param name="LastSession">Highest number of a session; numbers are not used again.</param>
/// <param name="LastMessage">Highest number of a message.</param>
internal sealed record StoredState(
    IReadOnlyCollection<StoredSession> Sessions, IReadOnlyCollection<StoredMessage> Retained, IReadOnlyList<StoredIntent> Intents,
    int LastSession, long LastMessage);
