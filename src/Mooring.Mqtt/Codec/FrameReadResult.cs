namespace Mooring.Mqtt.Codec;

internal enum FrameReadResult
{
    /// <summary>A frame was read.</summary>
    Frame,

    /// <summary>The frame is not complete yet; nothing is consumed.</summary>
    NeedMore,
}
