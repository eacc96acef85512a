namespace Mooring.Tunnel.Server.Accounts;

/// <summary>Whom a token stands for.</summary>
/// <param name="Id">Unique id.</param>
/// <param name="Email">Address, made up for anonymous accounts.</param>
/// <param name="TokenId">The token that was shown.</param>
/// <param name="Scopes">What the token may do.</param>
/// <param name="Quota">What the account may use.</param>
/// <param name="Traffic">What it carried on its last day, as far as it was written.</param>
internal sealed record Account(string Id, string Email, string TokenId, TokenScopes Scopes, Quota Quota, Traffic Traffic);
