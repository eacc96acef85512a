namespace Mooring.Tunnel.Server.Accounts;

/// <summary>A token that works, without itself. Times are Unix milliseconds; 0 for never.</summary>
internal sealed record TokenSummary(string Id, string Label, bool IsAdmin, long Created, long LastUsed);
