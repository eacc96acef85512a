namespace Mooring.Kernel.Framing;

/// <summary>The peer's stream of frames is wrong; the connection cannot go on.</summary>
/// <param name="error">How it is wrong.</param>
/// <param name="message">In words, for a log.</param>
public sealed class FramingException(FramingError error, string message) : IOException(message)
{
    /// <summary>How it is wrong.</summary>
    public FramingError Error { get; } = error;
}
