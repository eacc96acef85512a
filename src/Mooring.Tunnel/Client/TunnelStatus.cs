namespace Mooring.Tunnel.Client;

/// <summary>Where a client stands.</summary>
/// <param name="IsConnected">All tunnels are there.</param>
/// <param name="Text">For a person, such as "Reconnecting in 4s...".</param>
/// <param name="Failure">Why the last attempt failed, when it did.</param>
public sealed record TunnelStatus(bool IsConnected, string Text, TunnelException? Failure = null);
