namespace Mooring.Tunnel.Server;

/// <summary>An open tunnel at one moment.</summary>
/// <param name="Id">Its name: a label, a host name or <c>tcp-PORT</c>.</param>
/// <param name="Url">Where visitors come in.</param>
/// <param name="Protocol"><c>http</c> or <c>tcp</c>.</param>
/// <param name="Account">Whose it is.</param>
/// <param name="Client">Address of its client.</param>
/// <param name="Created">Since when it is open.</param>
/// <param name="Requests">Requests, or connections, so far.</param>
/// <param name="Bytes">Bytes in both directions so far.</param>
public readonly record struct TunnelGlance(
    string Id, string Url, string Protocol, string Account, string Client, DateTimeOffset Created, long Requests, long Bytes);
