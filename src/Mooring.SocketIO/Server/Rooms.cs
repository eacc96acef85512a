namespace Mooring.SocketIO.Server;

/// <summary>Who is in which room of a namespace. A room exists while somebody is in it.</summary>
internal sealed class Rooms
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, HashSet<SocketIOServerSocket>> _rooms = new(StringComparer.Ordinal);
    private readonly Dictionary<SocketIOServerSocket, HashSet<string>> _memberships = [];

    public void Add(string room, SocketIOServerSocket socket)
    {
        ArgumentException.ThrowIfNullOrEmpty(room);
        lock (_lock)
        {
            // Whoever has left meanwhile is not added: nobody would take it out again.
            if (!socket.IsConnected) return;
            if (!_rooms.TryGetValue(room, out var members)) _rooms[room] = members = [];
            if (!members.Add(socket)) return;
            if (!_memberships.TryGetValue(socket, out var rooms)) _memberships[socket] = rooms = new HashSet<string>(StringComparer.Ordinal);
            rooms.Add(room);
        }
    }

    public void Remove(string room, SocketIOServerSocket socket)
    {
        lock (_lock)
        {
            if (!_memberships.TryGetValue(socket, out var rooms) || !rooms.Remove(room)) return;
            if (rooms.Count == 0) _memberships.Remove(socket);
            RemoveMember_NeedsLock(room, socket);
        }
    }

    public void RemoveAll(SocketIOServerSocket socket)
    {
        lock (_lock)
        {
            if (!_memberships.Remove(socket, out var rooms)) return;
            foreach (var room in rooms) RemoveMember_NeedsLock(room, socket);
        }
    }

    public SocketIOServerSocket[] MembersOf(string room)
    {
        lock (_lock) return _rooms.TryGetValue(room, out var members) ? [.. members] : [];
    }

    private void RemoveMember_NeedsLock(string room, SocketIOServerSocket socket)
    {
        var members = _rooms[room];
        members.Remove(socket);
        if (members.Count == 0) _rooms.Remove(room);
    }
}
