namespace Mooring.Chat.Rooms;

/// <summary>Who may enter and speak.</summary>
internal sealed partial class Room
{
    // Value: Unix milliseconds at which it ends.
    private readonly Dictionary<string, long> _banned = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _muted = new(StringComparer.Ordinal);

    internal bool IsLocked { get; set; }

    /// <summary>The word that newcomers must know; null for none.</summary>
    internal RoomPassword? Password { get; set; }

    internal bool MayModerate(Session session) => session.IsOperator || (session.IsRegistered && session.Id == CreatedBy);

    internal bool IsBanned(string client)
    {
        lock (_gate) return IsSanctioned(_banned, client, _hub.Now);
    }

    /// <summary>False when the list is full.</summary>
    internal bool Ban(string client, long until) => TrySanction(_banned, client, until);

    internal bool Unban(string client)
    {
        lock (_gate) return _banned.Remove(client);
    }

    /// <summary>False when the list is full.</summary>
    internal bool Mute(string client, long until) => TrySanction(_muted, client, until);

    internal bool Unmute(string client)
    {
        lock (_gate) return _muted.Remove(client);
    }

    private bool IsMuted_NeedsLock(string client, Session? session, long now) =>
        _muted.Count > 0 && session is not { IsOperator: true } && IsSanctioned(_muted, client, now);

    private bool TrySanction(Dictionary<string, long> list, string client, long until)
    {
        lock (_gate)
        {
            if (list.Count >= Configuration.ChatLimits.SanctionsMax && !list.ContainsKey(client))
            {
                var now = _hub.Now;
                foreach (var (name, end) in list)
                    if (end <= now) list.Remove(name);
                if (list.Count >= Configuration.ChatLimits.SanctionsMax) return false;
            }
            list[client] = until;
            return true;
        }
    }

    private static bool IsSanctioned(Dictionary<string, long> list, string client, long now) =>
        list.Count > 0 && list.TryGetValue(client, out var until) && until > now;
}
