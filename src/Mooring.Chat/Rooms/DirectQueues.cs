using Mooring.Chat.Configuration;

namespace Mooring.Chat.Rooms;

/// <summary>A direct message that waits for its target.</summary>
/// <param name="Room">The room that it was sent in; it is delivered when the target receives there again.</param>
/// <param name="Sender">Who sent it.</param>
/// <param name="Text">UTF-8.</param>
/// <param name="Receipt">Its number and time.</param>
internal sealed record WaitingDirect(Room Room, byte[] Sender, byte[] Text, Receipt Receipt);

/// <summary>
/// Direct messages for clients that are suspended, or away although their id is theirs. So many for each client, each for so long, and for
/// so many clients.
/// </summary>
internal sealed class DirectQueues
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Waiting> _clients = new(StringComparer.Ordinal);

    /// <summary>A client went away that will come back under its id: from now on messages for it may wait.</summary>
    internal void Expect(string client, long now)
    {
        lock (_gate) (_clients.GetValueOrDefault(client) ?? Add_NeedsLock(client)).AwaySince = now;
    }

    /// <summary>Nobody will come for what waits.</summary>
    internal void Forget(string client)
    {
        lock (_gate) _clients.Remove(client);
    }

    /// <summary>Keeps a message for a client that went away; false when none is expected, or when its queue is full.</summary>
    internal bool TryKeepForAway(string client, WaitingDirect message, int most)
    {
        lock (_gate) return _clients.TryGetValue(client, out var waiting) && waiting.AwaySince >= 0 && waiting.TryAdd(message, most);
    }

    /// <summary>Keeps a message for a client that is suspended; false when its queue is full.</summary>
    internal bool TryKeep(string client, WaitingDirect message, int most)
    {
        lock (_gate) return most > 0 && (_clients.GetValueOrDefault(client) ?? Add_NeedsLock(client)).TryAdd(message, most);
    }

    /// <summary>Takes what waits for a client in a room.</summary>
    internal IReadOnlyList<WaitingDirect> Take(string client, Room room, long notBefore)
    {
        lock (_gate)
        {
            if (!_clients.TryGetValue(client, out var waiting)) return [];
            waiting.AwaySince = -1;
            var taken = waiting.Take(room, notBefore);
            if (waiting.IsEmpty) _clients.Remove(client);
            return taken;
        }
    }

    /// <summary>Forgets messages that have waited for too long, and clients that have been away for as long.</summary>
    internal void Expire(long notBefore)
    {
        lock (_gate)
        {
            foreach (var (client, waiting) in _clients)
                if (waiting.IsOver(notBefore)) _clients.Remove(client);
        }
    }

    private Waiting Add_NeedsLock(string client)
    {
        if (_clients.Count >= ChatLimits.DirectQueuesMax) _clients.Remove(_clients.MinBy(entry => entry.Value.AwaySince).Key);
        return _clients[client] = new Waiting();
    }

    private sealed class Waiting
    {
        private readonly List<WaitingDirect> _messages = [];

        /// <summary>Unix milliseconds; negative while the client is connected.</summary>
        internal long AwaySince { get; set; } = -1;

        internal bool IsEmpty => _messages.Count == 0;

        internal bool TryAdd(WaitingDirect message, int most)
        {
            if (_messages.Count >= most) return false;
            _messages.Add(message);
            return true;
        }

        internal List<WaitingDirect> Take(Room room, long notBefore)
        {
            List<WaitingDirect> taken = [.. _messages.Where(message => message.Room == room && message.Receipt.UnixMilliseconds >= notBefore)];
            _messages.RemoveAll(message => message.Room == room);
            return taken;
        }

        internal bool IsOver(long notBefore)
        {
            _messages.RemoveAll(message => message.Receipt.UnixMilliseconds < notBefore);
            return IsEmpty && AwaySince < notBefore;
        }
    }
}
