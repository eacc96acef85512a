namespace Mooring.Tunnel.Client;

/// <summary>What a failure means for the next attempt.</summary>
public enum TunnelOutcome
{
    /// <summary>The network or the server is away: try for ever.</summary>
    Unreachable,

    /// <summary>A gateway in front of the server says that it is away for a moment (502, 503, 504): try soon.</summary>
    Gateway,

    /// <summary>The server is busy: try for ever.</summary>
    Transient,

    /// <summary>The server refused in a way that may pass: try a few times.</summary>
    Refused,

    /// <summary>Trying again cannot help.</summary>
    Terminal,

    /// <summary>What was asked for is not allowed; trying again cannot help.</summary>
    Invalid,

    /// <summary>Refused too often: somebody should start the program again later.</summary>
    Exhausted,
}
