namespace Mooring.SocketIO.Codec;

/// <summary>What a single packet may hold beside its bytes, which the transport has already limited.</summary>
internal static class CodecLimits
{
    /// <summary>Bytes of a namespace: names of rooms in a house, not documents.</summary>
    public const int NamespaceBytesMax = 256;

    /// <summary>Bytes of an event's name, as for the namespace.</summary>
    public const int EventNameBytesMax = 1024;

    /// <summary>Arguments of one event or acknowledgement. Peers send one to five; each costs eight bytes here.</summary>
    public const int ArgumentsMax = 1024;

    /// <summary>Attachments of one packet. They are held until the last has come.</summary>
    public const int AttachmentsMax = 128;

    /// <summary>Nesting of JSON, as the framework's own readers have it.</summary>
    public const int JsonDepthMax = 64;

    /// <summary>Packets in one polling body. A body of separators alone must not become a million packets.</summary>
    public const int PacketsInPayloadMax = 16_384;

    /// <summary>The largest id that JavaScript peers can count to: 2^53 - 1.</summary>
    public const long IdMax = (1L << 53) - 1;
}
