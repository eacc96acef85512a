using Mooring.Tunnel.Client;
using Mooring.Tunnel.Client.Configuration;

namespace Mooring.Cli.Verbs;

/// <summary>The server and the account that a command works with.</summary>
/// <param name="Server">The server.</param>
/// <param name="Token">The token; null when there is none.</param>
/// <param name="IsTokenGiven">The user gave it for this command: it is never replaced by another account's.</param>
/// <param name="Authorities">PEM file of the authorities that the server's certificate must come from; null for the system's.</param>
/// <param name="IsInsecure">Accept any certificate.</param>
/// <param name="Wire">Generation of the wire.</param>
/// <param name="File">Where tokens are kept.</param>
internal sealed record TunnelTarget(string Server, string? Token, bool IsTokenGiven, string? Authorities, bool IsInsecure, TunnelWire Wire, ClientSettingsFile File)
{
    internal TunnelApi Api() => new(Server, IsInsecure, Authorities);
}
