namespace Mooring.Tunnel.Server.Names;

/// <summary>A TCP port that an account had last, and gets again.</summary>
internal sealed record PortLease(int Port, string Account);
