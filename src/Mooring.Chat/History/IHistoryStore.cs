using Mooring.Chat.Rooms;

namespace Mooring.Chat.History;

/// <summary>A room as it was kept.</summary>
/// <param name="Name">Its name.</param>
/// <param name="CreatedBy">Who created it.</param>
/// <param name="Topic">Its topic.</param>
/// <param name="LastSequence">Number of its last message.</param>
/// <param name="Messages">The last ones, oldest first.</param>
internal sealed record KeptRoom(string Name, string CreatedBy, string Topic, long LastSequence, IReadOnlyList<KeptMessage> Messages)
{
    /// <summary>The word that opens it; null for none.</summary>
    internal RoomPassword? Password { get; init; }
}

/// <summary>Where messages go so that they outlive the process.</summary>
internal interface IHistoryStore
{
    /// <summary>The epoch that the kept sequence numbers belong to; null when nothing is kept.</summary>
    ulong? Epoch { get; }

    /// <summary>What was kept by an earlier run.</summary>
    IReadOnlyList<KeptRoom> Rooms { get; }

    /// <summary>Keeps what is known of a room.</summary>
    void KeepRoom(Room room);

    /// <summary>Keeps a message; it is written soon, together with others.</summary>
    void Keep(string room, KeptMessage message);

    /// <summary>Forgets a message.</summary>
    void Delete(string room, long sequence);

    /// <summary>Forgets a room.</summary>
    void Remove(string room);
}

/// <summary>History in memory only.</summary>
internal sealed class NoHistoryStore : IHistoryStore
{
    internal static readonly NoHistoryStore Instance = new();

    public ulong? Epoch => null;

    public IReadOnlyList<KeptRoom> Rooms => [];

    public void KeepRoom(Room room)
    {
    }

    public void Keep(string room, KeptMessage message)
    {
    }

    public void Delete(string room, long sequence)
    {
    }

    public void Remove(string room)
    {
    }
}
