namespace Mooring.Edge.Hub.Store;

/// <summary>An agent as the hub remembers it.</summary>
/// <param name="Id">Common name of its certificate.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Fingerprint">SHA-256 of the only certificate it may show, in hexadecimal.</param>
/// <param name="NotAfter">Until when the certificate is good.</param>
/// <param name="IsPinned">Whether the certificate is one that the hub did not sign, and is taken because it is known.</param>
/// <param name="CreatedAt">Since when it is known.</param>
/// <param name="ClaimedAt">When an operator took it over; null: nothing may be done with it yet.</param>
/// <param name="RevokedAt">When it was shut out; null: it may connect.</param>
/// <param name="LastSeenAt">When it was last heard of.</param>
internal sealed record AgentRecord(
    string Id, string Name, string Fingerprint, DateTimeOffset NotAfter, bool IsPinned, DateTimeOffset CreatedAt, DateTimeOffset? ClaimedAt,
    DateTimeOffset? RevokedAt, DateTimeOffset? LastSeenAt);
