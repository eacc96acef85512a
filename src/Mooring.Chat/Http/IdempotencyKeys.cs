using System.Diagnostics.CodeAnalysis;
using Mooring.Chat.Rooms;

namespace Mooring.Chat.Http;

/// <summary>The first results of requests that may be repeated, so that a repetition sends nothing.</summary>
internal sealed class IdempotencyKeys
{
    internal const int KeyLengthMax = 64;

    private const long LifeMilliseconds = 600_000;

    // Some minutes of a busy sender.
    private const int EntriesMax = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (Receipt Receipt, long At)> _entries = new(StringComparer.Ordinal);
    private readonly Queue<(string Key, long At)> _order = new();

    internal bool TryGet(string key, long now, [NotNullWhen(true)] out Receipt? receipt)
    {
        lock (_gate)
        {
            var isKnown = _entries.TryGetValue(key, out var entry) && now - entry.At < LifeMilliseconds;
            receipt = isKnown ? entry.Receipt : null;
            return isKnown;
        }
    }

    internal void Add(string key, Receipt receipt, long now)
    {
        lock (_gate)
        {
            while (_order.TryPeek(out var oldest) && (_order.Count >= EntriesMax || now - oldest.At >= LifeMilliseconds))
            {
                _order.Dequeue();
                if (_entries.TryGetValue(oldest.Key, out var entry) && entry.At == oldest.At) _entries.Remove(oldest.Key);
            }
            _entries[key] = (receipt, now);
            _order.Enqueue((key, now));
        }
    }
}
