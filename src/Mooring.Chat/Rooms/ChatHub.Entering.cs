using System.Globalization;
using Mooring.Chat.Access;
using Mooring.Chat.Configuration;
using Mooring.Chat.Protocol;

namespace Mooring.Chat.Rooms;

/// <summary>How a client comes into a room.</summary>
internal enum Entrance
{
    /// <summary>The room must be there, unless rooms are created as they are named.</summary>
    Join,

    /// <summary>The room must not be there.</summary>
    Create,

    /// <summary>The room is created when it is missing.</summary>
    JoinOrCreate,
}

/// <summary>A wish to enter a room.</summary>
/// <param name="Room">Its name.</param>
/// <param name="Client">The id that the client wants; <c>client</c> for one that the server chooses.</param>
/// <param name="Entrance">How.</param>
/// <param name="Welcome">Queues the answer; called before anything of the room is sent to the session.</param>
internal readonly record struct EntryRequest(string Room, string Client, Entrance Entrance, Action<Membership> Welcome)
{
    /// <summary>Secret of an earlier session with the same id.</summary>
    internal string? ResumeToken { get; init; }

    /// <summary>The word that opens the room; a room that is created wants it of others from then on.</summary>
    internal string? Password { get; init; }

    /// <summary>Sequence number after which messages are sent again; negative for none.</summary>
    internal long Since { get; init; } = -1;

    /// <summary>Sequence number after which messages were wanted but are not kept any more.</summary>
    internal Action<bool>? Truncated { get; init; }
}

/// <summary>Who comes and goes.</summary>
internal sealed partial class ChatHub
{
    /// <summary>Registers a session, if it is not yet, and lets it into a room.</summary>
    internal Outcome Enter(Session session, in EntryRequest request)
    {
        Session? replaced = null;
        Outcome outcome;
        lock (_gate)
        {
            outcome = CheckEntry_NeedsLock(session, request, out var id, out var room, out replaced);
            if (!outcome.IsDone) return outcome;
            if (replaced is null) Enter_NeedsLock(session, id, room, request);
        }
        if (replaced is null) return outcome;
        Close(replaced, CloseReason.Replaced, "the id is in use elsewhere");
        return Enter(session, request with { ResumeToken = null });
    }

    /// <summary>Leaves one room.</summary>
    internal Outcome Leave(Session session, string room)
    {
        lock (_gate)
        {
            if (session.In(room) is not { } member)
                return _rooms.ContainsKey(room) ? new Outcome(ChatError.NotMember, $"{session.Id} is not in {room}") : NoSuchRoom(room);
            Leave_NeedsLock(member, MemberEvent.Gone, keepUnread: true);
            return Outcome.Done;
        }
    }

    /// <summary>Suspends a client in one room, or in all.</summary>
    internal Outcome Pause(Session session, string? room, List<string> rooms)
    {
        if (Selected(session, room) is not { } members) return new Outcome(ChatError.NotMember, $"{session.Id} is not in {room}");
        foreach (var member in members)
        {
            if (!member.Room.Suspend(member)) continue;
            rooms.Add(member.Room.Name);
            Tell(member, ChatEvent.Pause);
        }
        return Outcome.Done;
    }

    /// <summary>Ends a suspension in one room, or in all.</summary>
    internal Outcome Resume(Session session, string? room, List<string> rooms, out long missed)
    {
        missed = 0;
        if (Selected(session, room) is not { } members) return new Outcome(ChatError.NotMember, $"{session.Id} is not in {room}");
        foreach (var member in members)
        {
            missed += member.Room.Resume(member);
            rooms.Add(member.Room.Name);
            Tell(member, ChatEvent.Resume);
        }
        return Outcome.Done;
    }

    /// <summary>Creates a room for a client that need not be there.</summary>
    internal Outcome CreateRoom(string name, string createdBy, string? password = null)
    {
        Room room;
        lock (_gate)
        {
            var outcome = CheckNewRoom_NeedsLock(name);
            if (!outcome.IsDone) return outcome;
            room = AddRoom_NeedsLock(name, createdBy, password);
        }
        TellLobby(ChatEvent.Created, room, createdBy);
        return Outcome.Done;
    }

    /// <summary>Closes a room: everybody in it is told and leaves, and it is there no more.</summary>
    internal Outcome CloseRoom(string name, string closedBy)
    {
        if (name == ChatNames.Main) return new Outcome(ChatError.ReservedRoom, "main is always there");
        Room? room;
        lock (_gate)
        {
            if (!_rooms.Remove(name, out room)) return NoSuchRoom(name);
            room.Notice($"Chat room {name} is closed");
            foreach (var member in room.Members) Leave_NeedsLock(member, MemberEvent.Gone, keepUnread: true);
        }
        _history.Remove(name);
        TellLobby(ChatEvent.Removed, room, closedBy);
        return Outcome.Done;
    }

    /// <summary>Takes back rooms that nobody has been in for a while.</summary>
    internal void RemoveIdleRooms(long now)
    {
        var seconds = Options.Limits.RoomIdleSeconds;
        if (seconds == 0) return;
        List<Room> removed = [];
        lock (_gate)
        {
            foreach (var room in _rooms.Values)
                if (room.Name != ChatNames.Main && room.Count == 0 && now - room.EmptySince >= seconds * 1000L) removed.Add(room);
            foreach (var room in removed) _rooms.Remove(room.Name);
        }
        foreach (var room in removed)
        {
            _history.Remove(room.Name);
            TellLobby(ChatEvent.Removed, room, ChatNames.Server);
        }
    }

    internal static Outcome NoSuchRoom(string room) => new(ChatError.NoSuchRoom, $"there is no room {room}");

    private static Membership[]? Selected(Session session, string? room) =>
        room is null ? session.Memberships : session.In(room) is { } member ? [member] : null;

    private Outcome CheckEntry_NeedsLock(Session session, in EntryRequest request, out string id, out Room room, out Session? replaced)
    {
        room = null!;
        var outcome = CheckId_NeedsLock(session, request, out id, out replaced);
        if (!outcome.IsDone) return outcome;
        if (_rooms.TryGetValue(request.Room, out var found))
        {
            if (request.Entrance == Entrance.Create)
                return request.Room == ChatNames.Main ? CheckNewRoom_NeedsLock(request.Room) : new Outcome(ChatError.RoomExists, $"{request.Room} is there already");
            room = found;
            if (session.In(room.Name) is not null) return Outcome.Done;
            if (!session.IsOperator && room.IsBanned(id)) return new Outcome(ChatError.Banned, $"{id} is banned from {room.Name}");
            if (!session.IsOperator && room.IsLocked && room.CreatedBy != id) return new Outcome(ChatError.RoomLocked, $"{room.Name} is locked");
            outcome = session.IsOperator ? Outcome.Done : CheckPassword(room, request.Password, session.Remote);
            if (!outcome.IsDone) return outcome;
            if (Options.Limits.RoomMembersMax > 0 && room.Count >= Options.Limits.RoomMembersMax)
                return new Outcome(ChatError.Forbidden, $"{room.Name} is full");
        }
        else
        {
            if (request.Entrance == Entrance.Join && !Options.AutoCreateRooms) return NoSuchRoom(request.Room);
            outcome = CheckNewRoom_NeedsLock(request.Room);
            if (!outcome.IsDone) return outcome;
        }
        if (session.Memberships.Length >= Options.Limits.RoomsPerClientMax)
            return new Outcome(ChatError.TooManyRooms, $"a client may be in {Options.Limits.RoomsPerClientMax} rooms");
        if (found is null && replaced is null) room = AddRoom_NeedsLock(request.Room, id, request.Entrance == Entrance.Join ? null : request.Password);
        return Outcome.Done;
    }

    private Outcome CheckId_NeedsLock(Session session, in EntryRequest request, out string id, out Session? replaced)
    {
        id = request.Client;
        replaced = null;
        if (_isDraining || session.IsClosing) return new Outcome(ChatError.ShuttingDown, "the session is ending");
        if (Access.IsRequired && session.Account is null) return new Outcome(ChatError.AuthRequired, "present a token first: AUTH <token>");
        if (session.IsRegistered)
        {
            if (ChatNames.IsAutomatic(id)) id = session.Id;
            return id == session.Id ? Outcome.Done : new Outcome(ChatError.NotOwner, $"this connection is {session.Id}");
        }
        if (IsReserved(id)) return new Outcome(ChatError.ReservedId, $"{id} is reserved");
        if (ChatNames.IsAutomatic(id)) id = AutomaticId_NeedsLock(session);
        if (session.Account is { } account && !account.MayUse(id)) return new Outcome(ChatError.NotOwner, $"the token is not for {id}");
        if (!_clients.TryGetValue(id, out var other)) return Outcome.Done;
        if (!Options.ReplaceDuplicates && !other.IsResumedBy(request.ResumeToken)) return new Outcome(ChatError.IdInUse, $"{id} is in use");
        replaced = other;
        return Outcome.Done;
    }

    private string AutomaticId_NeedsLock(Session session)
    {
        if (session.Account is { Name: not ChatAccount.Anyone } account) return account.Name;
        for (var number = FirstAutomaticId; ; number++)
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"{ChatNames.Automatic}{number}");
            if (!_clients.ContainsKey(id)) return id;
        }
    }

    private Outcome CheckNewRoom_NeedsLock(string name)
    {
        if (name == ChatNames.Main) return new Outcome(ChatError.ReservedRoom, "main is always there");
        if (!ChatNames.IsRoom(name)) return new Outcome(ChatError.BadArgument, "a room's name is 1 to 64 characters without blanks, colons and controls");
        if (_rooms.ContainsKey(name)) return new Outcome(ChatError.RoomExists, $"{name} is there already");
        return _rooms.Count < Options.Limits.RoomsMax ? Outcome.Done : new Outcome(ChatError.TooManyRooms, $"there may be {Options.Limits.RoomsMax} rooms");
    }

    private void Enter_NeedsLock(Session session, string id, Room room, in EntryRequest request)
    {
        if (!session.IsRegistered)
        {
            session.SetId(id);
            _clients.Add(id, session);
            Counters.Registered();
        }
        if (session.In(room.Name) is { } present)
        {
            request.Welcome(present);
            return;
        }
        var isNew = room.Count == 0 && room.CreatedBy == id && room.LastSequence == 0;
        if (Options.Announce != Announcements.None && room.Count <= Options.Limits.AnnounceMembersMax)
            room.Notice($"Client {id} has joined Chat room {room.Name}");
        var member = room.Add(session, request);
        Tell(member, ChatEvent.Join);
        if (isNew && request.Entrance != Entrance.Join) TellLobby(ChatEvent.Created, room, id);
    }

    private void Leave_NeedsLock(Membership member, MemberEvent happened, bool keepUnread)
    {
        var (room, session) = (member.Room, member.Session);
        room.Remove(member, happened, keepUnread);
        session.Memberships = [.. session.Memberships.Where(other => other != member)];
        if (Options.Announce == Announcements.JoinAndLeave && room.Count <= Options.Limits.AnnounceMembersMax)
            room.Notice($"Client {session.Id} has left Chat room {room.Name}");
        Tell(member, ChatEvent.Leave);
    }

    /// <summary>Tells the members that asked for events what one of them did.</summary>
    private void Tell(Membership who, ChatEvent happened)
    {
        var room = who.Room;
        if (room.Count > Options.Limits.AnnounceMembersMax) return;
        foreach (var member in room.Members)
            if (member != who && member.Session.Wants(happened)) member.Session.SayEvent(happened, room.Name, who.Session.Id, "", Now);
    }

    /// <summary>Tells everybody who asked for events that a room came or went.</summary>
    private void TellLobby(ChatEvent happened, Room room, string client)
    {
        Lobby?.Invoke(happened, room.Name, client);
        foreach (var session in Sessions())
            if (session.Wants(happened) && MaySee(room, session, isOperator: false)) session.SayEvent(happened, room.Name, client, "", Now);
    }

    private void TellTopic(Room room, string client)
    {
        foreach (var member in room.Members)
            if (member.Session.Wants(ChatEvent.Topic)) member.Session.SayEvent(ChatEvent.Topic, room.Name, client, room.Topic, Now);
    }
}
