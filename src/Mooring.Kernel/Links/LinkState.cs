namespace Mooring.Kernel.Links;

/// <summary>
/// The published state of a link: a long-lived relation to a peer that outlives single connections.
/// States are shown to people and metrics; code that drives a link never asks them what to do next.
/// </summary>
public enum LinkState
{
    /// <summary>Not started yet.</summary>
    Idle,

    /// <summary>A connection is being made, handshake included.</summary>
    Connecting,

    /// <summary>A connection is up and usable.</summary>
    Up,

    /// <summary>The last connection ended; the next attempt is scheduled.</summary>
    Waiting,

    /// <summary>Ended for good, by request or by a reason that trying again cannot cure.</summary>
    Stopped,
}
