using Mooring.Chat.Configuration;

namespace Mooring.Chat.Rooms;

/// <summary>A client that has gone.</summary>
/// <param name="Session">What it was.</param>
/// <param name="Rooms">The rooms that it was in.</param>
/// <param name="At">Milliseconds of steady time.</param>
internal sealed record DepartedClient(Session Session, IReadOnlyList<Membership> Rooms, long At);

/// <summary>Clients that went a moment ago, so that an operator can still see why.</summary>
internal sealed class DepartedClients
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, DepartedClient> _byId = new(StringComparer.Ordinal);
    private readonly Queue<DepartedClient> _order = new();

    internal void Add(DepartedClient departed)
    {
        lock (_gate)
        {
            Expire_NeedsLock(departed.At);
            if (_order.Count >= ChatLimits.DepartedMax) Remove_NeedsLock();
            _byId[departed.Session.Id] = departed;
            _order.Enqueue(departed);
        }
    }

    internal DepartedClient? Find(string id, long now)
    {
        lock (_gate)
        {
            Expire_NeedsLock(now);
            return _byId.GetValueOrDefault(id);
        }
    }

    internal void Expire(long now)
    {
        lock (_gate) Expire_NeedsLock(now);
    }

    private void Expire_NeedsLock(long now)
    {
        while (_order.TryPeek(out var oldest) && now - oldest.At >= (long)ChatLimits.DepartedTime.TotalMilliseconds) Remove_NeedsLock();
    }

    private void Remove_NeedsLock()
    {
        var oldest = _order.Dequeue();
        if (_byId.TryGetValue(oldest.Session.Id, out var newest) && newest == oldest) _byId.Remove(oldest.Session.Id);
    }
}
