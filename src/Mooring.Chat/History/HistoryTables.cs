using System.Globalization;
using Mooring.Chat.Rooms;
using Mooring.Storage;

namespace Mooring.Chat.History;

/// <summary>The tables, and the statements on them.</summary>
internal static class HistoryTables
{
    internal static readonly IReadOnlyList<Migration> Migrations =
    [
        new(1, "rooms and messages", """
            CREATE TABLE chat_state (name TEXT PRIMARY KEY, value TEXT NOT NULL);
            CREATE TABLE chat_rooms (name TEXT PRIMARY KEY, created_by TEXT NOT NULL, created_at BIGINT NOT NULL, topic TEXT NOT NULL, last_seq BIGINT NOT NULL);
            CREATE TABLE chat_messages (
                room TEXT NOT NULL, seq BIGINT NOT NULL, id BIGINT NOT NULL, sender TEXT NOT NULL, at BIGINT NOT NULL, text BYTEA NOT NULL,
                PRIMARY KEY (room, seq));
            """),
        new(2, "passwords of rooms", "ALTER TABLE chat_rooms ADD COLUMN password TEXT NOT NULL DEFAULT ''"),
    ];

    private const string Epoch = "epoch";
    private const string Complete = "complete";

    internal static async Task<(ulong? Epoch, bool IsComplete, IReadOnlyList<KeptRoom> Rooms)> ReadAsync(StorageSession session, int messagesPerRoom)
    {
        var state = await session.QueryAsync(
            "SELECT name, value FROM chat_state", row => (Name: row.GetString(0), Value: row.GetString(1))).ConfigureAwait(false);
        var epoch = state.FirstOrDefault(entry => entry.Name == Epoch).Value is { } text
            && ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) ? number : (ulong?)null;
        var isComplete = state.Any(entry => entry is { Name: Complete, Value: "true" });
        var messages = (await session.QueryAsync(
            "SELECT m.room, m.seq, m.id, m.sender, m.at, m.text FROM chat_messages m JOIN chat_rooms r ON r.name = m.room "
            + "WHERE m.seq > r.last_seq - @count ORDER BY m.room, m.seq",
            row => (Room: row.GetString(0), Message: new KeptMessage(row.GetInt64(1), row.GetInt64(2), row.GetString(3), row.GetInt64(4), (byte[])row.GetValue(5))),
            [("count", messagesPerRoom)]).ConfigureAwait(false)).ToLookup(row => row.Room, row => row.Message);
        var rooms = await session.QueryAsync(
            "SELECT name, created_by, topic, last_seq, password FROM chat_rooms ORDER BY created_at, name",
            row => new KeptRoom(row.GetString(0), row.GetString(1), row.GetString(2), row.GetInt64(3), []) { Password = RoomPassword.Parse(row.GetString(4)) }).ConfigureAwait(false);
        return (epoch, isComplete, [.. rooms.Select(room => room with { Messages = [.. messages[room.Name]] })]);
    }

    internal static async Task WriteAsync(StorageSession session, Dictionary<string, PendingRoom> rooms, int messagesPerRoom)
    {
        foreach (var (name, room) in rooms)
        {
            if (room.IsRemoved)
            {
                await session.ExecuteAsync("DELETE FROM chat_messages WHERE room = @room", [("room", name)]).ConfigureAwait(false);
                await session.ExecuteAsync("DELETE FROM chat_rooms WHERE name = @room", [("room", name)]).ConfigureAwait(false);
                if (room.LastSequence == 0 && room.CreatedBy is null) continue;
            }
            await WriteRoomAsync(session, name, room).ConfigureAwait(false);
            await session.ExecuteManyAsync(
                "INSERT INTO chat_messages (room, seq, id, sender, at, text) VALUES (@room, @seq, @id, @sender, @at, @text) "
                + "ON CONFLICT (room, seq) DO UPDATE SET id = excluded.id, sender = excluded.sender, at = excluded.at, text = excluded.text",
                ["room", "seq", "id", "sender", "at", "text"],
                room.Messages.Select(message => new object?[] { name, message.Sequence, message.Id, message.Sender, message.UnixMilliseconds, message.Text })).ConfigureAwait(false);
            foreach (var sequence in room.Deleted)
                await session.ExecuteAsync("DELETE FROM chat_messages WHERE room = @room AND seq = @seq", [("room", name), ("seq", sequence)]).ConfigureAwait(false);
            await session.ExecuteAsync(
                "DELETE FROM chat_messages WHERE room = @room AND seq <= @seq", [("room", name), ("seq", room.LastSequence - messagesPerRoom)]).ConfigureAwait(false);
        }
    }

    internal static Task SetEpochAsync(StorageSession session, ulong epoch) => SetAsync(session, Epoch, epoch.ToString("x16", CultureInfo.InvariantCulture));

    /// <summary>Notes whether everything that members have seen is in the tables.</summary>
    internal static Task SetCompleteAsync(StorageSession session, bool isComplete) => SetAsync(session, Complete, isComplete ? "true" : "false");

    private static Task WriteRoomAsync(StorageSession session, string name, PendingRoom room) => room.CreatedBy is null
        ? session.ExecuteAsync(
            "UPDATE chat_rooms SET last_seq = @seq WHERE name = @room AND last_seq < @seq", [("room", name), ("seq", room.LastSequence)])
        : session.ExecuteAsync(
            "INSERT INTO chat_rooms (name, created_by, created_at, topic, last_seq, password) VALUES (@room, @by, @at, @topic, @seq, @password) "
            + "ON CONFLICT (name) DO UPDATE SET created_by = excluded.created_by, created_at = excluded.created_at, topic = excluded.topic, last_seq = excluded.last_seq, "
            + "password = excluded.password",
            [("room", name), ("by", room.CreatedBy), ("at", room.CreatedAt), ("topic", room.Topic), ("seq", room.LastSequence), ("password", room.Password)]);

    private static Task SetAsync(StorageSession session, string name, string value) => session.ExecuteAsync(
        "INSERT INTO chat_state (name, value) VALUES (@name, @value) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [("name", name), ("value", value)]);
}
