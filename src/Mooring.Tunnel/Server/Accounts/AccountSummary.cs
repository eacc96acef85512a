namespace Mooring.Tunnel.Server.Accounts;

/// <summary>An account as operators see it.</summary>
internal sealed record AccountSummary(string Id, string Email, long Created, bool IsDisabled, int Tokens);
