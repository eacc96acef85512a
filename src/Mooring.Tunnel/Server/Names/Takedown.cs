namespace Mooring.Tunnel.Server.Names;

/// <summary>A name that an operator took down.</summary>
/// <param name="Name">A label of the base domain, or a host name.</param>
/// <param name="Reason">What visitors are told.</param>
/// <param name="Since">Unix milliseconds.</param>
internal sealed record Takedown(string Name, string Reason, long Since);
