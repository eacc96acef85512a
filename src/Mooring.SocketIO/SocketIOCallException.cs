namespace Mooring.SocketIO;

/// <summary>How a call can fail.</summary>
public enum SocketIOCallError
{
    /// <summary>There is no connection now; the call was not sent.</summary>
    NotConnected,

    /// <summary>Too many calls wait for their acknowledgement; this one was not sent.</summary>
    TooManyCalls,

    /// <summary>The event is larger than the peer takes, and would have cost the connection; it was not sent.</summary>
    TooLarge,

    /// <summary>No acknowledgement came in time. Whether the peer did what it was asked is not known.</summary>
    TimedOut,

    /// <summary>The connection ended before the acknowledgement. Whether the peer did what it was asked is not known.</summary>
    ConnectionLost,
}

/// <summary>A call got no answer, or an event could not be sent.</summary>
/// <param name="error">Why.</param>
/// <param name="message">In words.</param>
public sealed class SocketIOCallException(SocketIOCallError error, string message) : IOException(message)
{
    /// <summary>Why.</summary>
    public SocketIOCallError Error { get; } = error;
}
