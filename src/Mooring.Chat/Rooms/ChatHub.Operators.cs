using Microsoft.Extensions.Logging;
using Mooring.Chat.Protocol;

namespace Mooring.Chat.Rooms;

/// <summary>Listings, and what operators and owners do.</summary>
internal sealed partial class ChatHub
{
    /// <summary>Told when a room came or went, and by whom.</summary>
    internal Action<ChatEvent, string, string>? Lobby { get; set; }

    /// <summary>
    /// A listing; <paramref name="argument"/> names the client or the room where the type wants one. Rooms with a password are shown to their
    /// members and to operators only.
    /// </summary>
    internal Listing List(ListType type, string argument, Session? viewer, bool isOperator) => type switch
    {
        ListType.ClientChatRooms => new Listing(
            Pictures(TryFindClient(argument, out var session) ? session.Memberships.Select(member => member.Room).OrderBy(room => room.Number) : [], viewer, isOperator), false),
        ListType.ClientsForChatRoom => new Listing(Pictures(TryFindRoom(argument, out var room) ? [room] : [], viewer, isOperator), true),
        _ => new Listing(Pictures(Rooms(), viewer, isOperator), false),
    };

    internal static bool MaySee(Room room, Session? viewer, bool isOperator) =>
        room.Password is null || isOperator || viewer is { IsOperator: true } || viewer?.In(room.Name) is not null;

    /// <summary>Writes down what an operator or a room's owner did.</summary>
    internal void Audit(Session by, string action, string target) => LogAudit(by.IsRegistered ? by.Id : "(operator)", by.Remote, action, target);

    /// <summary>Writes down what an operator did over HTTP.</summary>
    internal void Audit(string remote, string action, string target) => LogAudit("(http)", remote, action, target);

    /// <summary>Changes the form in which a session reads all its rooms.</summary>
    internal void ChangeFormat(Session session, MessageFormat format)
    {
        lock (_gate)
        {
            var members = session.Memberships;
            foreach (var member in members) member.Room.StopReading(member);
            session.Format = format;
            foreach (var member in members) member.Room.StartReading(member);
        }
    }

    private static ListedRoom[] Pictures(IEnumerable<Room> rooms, Session? viewer, bool isOperator) =>
        [.. rooms.Where(room => MaySee(room, viewer, isOperator)).Select(Picture)];

    private static ListedRoom Picture(Room room) =>
        new(room.Name, [.. room.Members.Select(member => (member.Session.Id, member.Status))]);

    /// <summary>Writes down that a client was silenced for its flood.</summary>
    internal void TellFlood(Session session, int seconds) => LogFlood(session.Id, session.Remote, seconds);

    [LoggerMessage(5012, LogLevel.Warning, "{Client} at {Remote} floods and is not heard for {Seconds} s")]
    private partial void LogFlood(string client, string remote, int seconds);

    [LoggerMessage(5010, LogLevel.Information, "{Client} at {Remote} did {Action} to {Target}")]
    private partial void LogAudit(string client, string remote, string action, string target);
}
