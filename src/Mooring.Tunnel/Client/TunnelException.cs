namespace Mooring.Tunnel.Client;

/// <summary>A tunnel could not be had, or was lost. The message is for a person.</summary>
/// <param name="message">What is wrong.</param>
/// <param name="code">The server's code, such as SUBDOMAIN_UNAVAILABLE; empty when it did not say one.</param>
/// <param name="outcome">Whether to try again.</param>
/// <param name="cause">What lies below.</param>
public sealed class TunnelException(string message, string code, TunnelOutcome outcome, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>The server's code; empty when it did not say one.</summary>
    public string Code { get; } = code;

    /// <summary>Whether to try again.</summary>
    public TunnelOutcome Outcome { get; } = outcome;
}
