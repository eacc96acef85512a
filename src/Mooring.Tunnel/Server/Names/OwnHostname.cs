namespace Mooring.Tunnel.Server.Names;

/// <summary>A host name that an account brought.</summary>
internal sealed record OwnHostname(string Hostname, string Account, string Challenge, bool IsVerified);
