namespace Mooring.Tunnel.Protocol.GenerationB;

/// <summary>
/// What version 3 adds, each in force only when both ends listed it. Sent as the texts "win", "half", "trl", "raw", "tcp", "meta", "drain".
/// </summary>
[Flags]
internal enum Capabilities
{
    None = 0,

    /// <summary>"win": credit for each stream and direction, so that a slow visitor stops only itself.</summary>
    Windows = 1 << 0,

    /// <summary>"half": StreamData with eof half-closes the sender's direction.</summary>
    HalfClose = 1 << 1,

    /// <summary>"trl": trailers as a last message before StreamClose.</summary>
    Trailers = 1 << 2,

    /// <summary>"raw": StreamData as a binary frame, see <see cref="RawFrame"/>.</summary>
    Raw = 1 << 3,

    /// <summary>"tcp": streams of mode tcp.</summary>
    Tcp = 1 << 4,

    /// <summary>"meta": StreamOpen tells visitor address, TLS, request id and deadline.</summary>
    Metadata = 1 << 5,

    /// <summary>"drain": Error with code DRAIN announces the end of the connection.</summary>
    Drain = 1 << 6,

    /// <summary>All that this implementation speaks.</summary>
    All = Windows | HalfClose | Trailers | Raw | Tcp | Metadata | Drain,
}
