using Mooring.Tunnel.Protocol.GenerationB;

namespace Mooring.Tunnel.Client;

/// <summary>The server's answer to a step of the handshake, out of its buffer.</summary>
internal sealed record ClientReply(FrameKind Kind, int Version, Capabilities Capabilities, TunnelGrant? Grant, string Code, string Message)
{
    public static ClientReply Of(in FrameView frame) => new(
        frame.Kind,
        frame.Version,
        frame.Capabilities,
        frame.Kind == FrameKind.TunnelCreated
            ? new TunnelGrant(
                FrameView.Text(frame.Url), FrameView.Text(frame.Subdomain), frame.HasPath ? FrameView.Text(frame.Path) : null,
                frame.RemotePort > 0 ? frame.RemotePort : null, frame.IsAuthEnforced)
            : null,
        FrameView.Text(frame.Code),
        FrameView.Text(frame.Message));

    /// <summary>What an Error means for the next attempt.</summary>
    public TunnelException ToException() => new($"{Message} [{Code}]", Code, OutcomeOf(Code));

    public static TunnelOutcome OutcomeOf(string code) => code switch
    {
        ErrorCodes.Unauthorized or ErrorCodes.AuthRequired or ErrorCodes.SubdomainUnavailable or ErrorCodes.PathTaken or ErrorCodes.PathLimit
            or ErrorCodes.TcpDisabled or ErrorCodes.HostnameNotRegistered or ErrorCodes.HostnameNotVerified or ErrorCodes.HostnameTaken
            or ErrorCodes.HostnameIgnored => TunnelOutcome.Terminal,
        ErrorCodes.InvalidPath or ErrorCodes.InvalidHostname or ErrorCodes.UnsupportedProtocol => TunnelOutcome.Invalid,
        ErrorCodes.ServiceUnavailable or ErrorCodes.PoolExhausted or ErrorCodes.TunnelCreateFailed or ErrorCodes.HostnameNoCertificate
            => TunnelOutcome.Transient,
        _ => TunnelOutcome.Refused,
    };
}
