namespace Mooring.Chat.Protocol;

/// <summary>Status of a membership, or of a session that has none yet.</summary>
internal enum MemberStatus
{
    New,
    Connected,
    Active,
    Suspended,
    Error,
    Closing,
    Closed,
}

/// <summary>What happens to a session or membership.</summary>
internal enum MemberEvent
{
    Joined,
    Sent,
    Paused,
    Resumed,
    Failed,
    CloseRequested,
    Gone,
}

/// <summary>The table of moves; what is not in it is refused.</summary>
internal static class MemberStatuses
{
    private static readonly string[] Names = [.. Enum.GetValues<MemberStatus>().Select(status => status.ToString().ToUpperInvariant())];

    internal static string Name(this MemberStatus status) => Names[(int)status];

    /// <summary>Only these get live messages.</summary>
    internal static bool Receives(this MemberStatus status) => status is MemberStatus.Connected or MemberStatus.Active;

    /// <summary>The status after an event, or null when the event is refused.</summary>
    internal static MemberStatus? After(this MemberStatus status, MemberEvent happened, bool hasSent = false) => (status, happened) switch
    {
        (MemberStatus.Closed, _) => null,
        (_, MemberEvent.Gone) => MemberStatus.Closed,
        (MemberStatus.Closing or MemberStatus.Error, MemberEvent.CloseRequested) => MemberStatus.Closing,
        (MemberStatus.Closing or MemberStatus.Error, _) => null,
        (_, MemberEvent.CloseRequested) => MemberStatus.Closing,
        (_, MemberEvent.Failed) => MemberStatus.Error,
        (MemberStatus.New, MemberEvent.Joined) => MemberStatus.Connected,
        (MemberStatus.New, _) => null,
        (_, MemberEvent.Joined) => status,
        (_, MemberEvent.Sent) => MemberStatus.Active,
        (_, MemberEvent.Paused) => MemberStatus.Suspended,
        (MemberStatus.Suspended, MemberEvent.Resumed) => hasSent ? MemberStatus.Active : MemberStatus.Connected,
        (_, MemberEvent.Resumed) => status,
        _ => null,
    };
}
