namespace Mooring.Kernel.Framing;

/// <summary>How a stream of frames can be wrong, whatever the protocol.</summary>
public enum FramingError
{
    /// <summary>A frame is larger than the limit.</summary>
    TooLarge,

    /// <summary>The stream ended in the middle of a frame.</summary>
    Incomplete,
}
