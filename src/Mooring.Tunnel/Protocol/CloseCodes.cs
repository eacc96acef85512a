namespace Mooring.Tunnel.Protocol;

/// <summary>Close codes of the WebSocket between client and server (RFC 6455 7.4.1, and 4000-4999 of our own).</summary>
internal static class CloseCodes
{
    internal const int Normal = 1000;
    internal const int GoingAway = 1001;
    internal const int ProtocolError = 1002;
    internal const int Policy = 1008;
    internal const int TooBig = 1009;
    internal const int InternalError = 1011;
    internal const int Restart = 1012;

    /// <summary>A newer session of the same account took over.</summary>
    internal const int Replaced = 4001;

    internal const int Quota = 4002;

    /// <summary>An operator ended the session.</summary>
    internal const int Kicked = 4003;
}
