namespace Mooring.Edge.Hub.Store;

/// <summary>An operator's token; the token itself is not kept, only its hash.</summary>
/// <param name="Name">Whose it is.</param>
/// <param name="Hash">SHA-256 in hexadecimal. The token has 256 random bits, which needs no salt and no slow hash.</param>
/// <param name="Role">What may be done with it.</param>
/// <param name="Agents">Agents that it is good for; empty for all.</param>
/// <param name="ExpiresAt">Until when; null for ever.</param>
internal sealed record TokenRecord(string Name, string Hash, HubRole Role, IReadOnlyList<string> Agents, DateTimeOffset? ExpiresAt);
