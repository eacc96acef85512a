namespace Mooring.Edge.Hub.Agents;

/// <summary>What is made of heartbeats.</summary>
internal static class PresenceLimits
{
    /// <summary>An agent beats every 5 s; three that are missing make it stale.</summary>
    public static readonly TimeSpan OnlineFor = TimeSpan.FromSeconds(15);

    /// <summary>One heartbeat in this time is kept as history.</summary>
    public static readonly TimeSpan HistoryStep = TimeSpan.FromMinutes(1);

    /// <summary>How long before its end a certificate is spoken of.</summary>
    public static readonly TimeSpan ExpiryWarning = TimeSpan.FromDays(30);
}
