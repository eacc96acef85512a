using Mooring.Tunnel.Protocol;

namespace Mooring.Tunnel.Links;

/// <summary>Bounds of one link.</summary>
internal sealed record LinkLimits
{
    /// <summary>Largest message received, in bytes.</summary>
    public int MessageBytesMax { get; init; } = WireLimits.MessageBytesMax;

    /// <summary>Bytes waiting to be sent above which producers wait: enough to keep a fast line busy, small beside a body.</summary>
    public int SendHighBytes { get; init; } = 1024 * 1024;

    /// <summary>Bytes waiting below which producers go on.</summary>
    public int SendLowBytes { get; init; } = 256 * 1024;

    /// <summary>
    /// Bytes waiting above which a link is given up: only frames that nobody waits with (acknowledgements, resets) get beyond
    /// <see cref="SendHighBytes"/>, so a peer that reads nothing while it provokes them is meant.
    /// </summary>
    public int SendBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>
    /// Bytes of all streams together that may wait for slow targets when the peer knows no windows; the stream that would need more is reset.
    /// Default 64 MiB: some large bodies, and not the memory of the machine.
    /// </summary>
    public int WaitingBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>A quiet link reads into a buffer of this size, so that ten thousand idle links cost little.</summary>
    public int QuietBufferBytes { get; init; } = 4 * 1024;

    /// <summary>A busy link reads into up to this much at once; frames above it make the buffer grow for as long as they last.</summary>
    public int BusyBufferBytes { get; init; } = 256 * 1024;

    /// <summary>A link that sends nothing of what is queued for this long is dead.</summary>
    public TimeSpan SendTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a WebSocket outside the tunnel may take to answer a close frame, and to read what came before it; then its connection is cut.
    /// Default 5 s: a round trip on a bad line, twice.
    /// </summary>
    public TimeSpan PeerCloseTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a close frame may take to leave.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(2);
}
