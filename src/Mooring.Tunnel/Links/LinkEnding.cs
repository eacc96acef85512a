using Mooring.Tunnel.Protocol;

namespace Mooring.Tunnel.Links;

/// <summary>Why a link ended.</summary>
/// <param name="Code">Close code of the peer, or ours; 1006 when the connection just ended.</param>
/// <param name="Reason">For a person.</param>
/// <param name="IsByPeer">The peer ended it.</param>
internal readonly record struct LinkEnding(int Code, string Reason, bool IsByPeer)
{
    /// <summary>No close frame was seen (RFC 6455 7.1.5).</summary>
    internal const int Abnormal = 1006;

    internal static LinkEnding Lost(string reason) => new(Abnormal, reason, IsByPeer: true);

    internal static LinkEnding Broken(TunnelProtocolException exception) =>
        new(exception.Error == TunnelProtocolError.TooLarge ? CloseCodes.TooBig : CloseCodes.ProtocolError, exception.Message, IsByPeer: false);
}
