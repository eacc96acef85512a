namespace Mooring.Tunnel.Protocol.GenerationB;

/// <summary>Fields of TunnelCreated. Null fields are not sent.</summary>
/// <param name="Url">Public address.</param>
/// <param name="Subdomain">The tunnel's name; StreamOpen repeats it as tunnel_id, also for TCP ("tcp-20000") and custom hosts.</param>
/// <param name="Path">For a tunnel asked for with a path: what it became.</param>
/// <param name="RemotePort">Public TCP port.</param>
/// <param name="IsAuthEnforced">The server demands the password itself (version 3).</param>
internal sealed record TunnelGrant(string Url, string Subdomain, string? Path = null, int? RemotePort = null, bool IsAuthEnforced = false);
