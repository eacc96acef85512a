namespace Mooring.SocketIO.Codec;

/// <summary>A peer broke the protocol; its connection cannot go on.</summary>
/// <param name="error">How.</param>
/// <param name="message">In words, for a log. It holds nothing of what the peer sent.</param>
public sealed class SocketIOProtocolException(SocketIOProtocolError error, string message) : IOException(message)
{
    /// <summary>How the protocol was broken.</summary>
    public SocketIOProtocolError Error { get; } = error;
}
