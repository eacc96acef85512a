namespace Mooring.Tunnel.Protocol.GenerationB;

/// <summary>Fields of TunnelCreate. Null fields are not sent.</summary>
/// <param name="Protocol">"http" or "tcp".</param>
/// <param name="Subdomain">Name wanted; null lets the server choose.</param>
/// <param name="Path">Empty asks for a name of the server's choice under its own host ("SPA").</param>
/// <param name="RemotePort">Public TCP port wanted.</param>
/// <param name="Hostname">A registered host name of the account; excludes subdomain and path.</param>
/// <param name="Auth">"user:password" that visitors must give (version 3; older servers ignore it).</param>
internal sealed record TunnelRequest(
    string Protocol, string? Subdomain = null, string? Path = null, int? RemotePort = null, string? Hostname = null, string? Auth = null);
