namespace Mooring.Chat.Rooms;

/// <summary>
/// What has something new to send. Commands only mark rooms and sessions; whoever handled a batch of them flushes once at its end, so
/// that a member gets one write for all that came in together.
/// </summary>
internal sealed class Outbox
{
    private readonly Lock _gate = new();
    private List<Room> _rooms = [];
    private List<Session> _sessions = [];
    private List<Room>? _spareRooms = [];
    private List<Session>? _spareSessions = [];

    /// <summary>The room marks itself, at most once until it is flushed.</summary>
    internal void Add(Room room)
    {
        lock (_gate) _rooms.Add(room);
    }

    /// <summary>The session marks itself, at most once until it is flushed.</summary>
    internal void Add(Session session)
    {
        lock (_gate) _sessions.Add(session);
    }

    /// <summary>Sends what is there. Closing a slow member marks others, hence the loop.</summary>
    internal void Flush()
    {
        while (TryTake(out var rooms, out var sessions))
        {
            foreach (var room in rooms) room.Pump();
            foreach (var session in sessions) session.FlushMarked();
            rooms.Clear();
            sessions.Clear();
            lock (_gate)
            {
                _spareRooms ??= rooms;
                _spareSessions ??= sessions;
            }
        }
    }

    private bool TryTake(out List<Room> rooms, out List<Session> sessions)
    {
        lock (_gate)
        {
            (rooms, sessions) = (_rooms, _sessions);
            if (rooms.Count + sessions.Count == 0) return false;
            _rooms = _spareRooms ?? [];
            _sessions = _spareSessions ?? [];
            _spareRooms = null;
            _spareSessions = null;
            return true;
        }
    }
}
