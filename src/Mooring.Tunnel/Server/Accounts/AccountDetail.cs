namespace Mooring.Tunnel.Server.Accounts;

/// <summary>An account as an operator sees it who looks closely.</summary>
internal sealed record AccountDetail(string Id, string Email, long Created, bool IsDisabled, Quota Quota, IReadOnlyList<TokenSummary> Tokens);
