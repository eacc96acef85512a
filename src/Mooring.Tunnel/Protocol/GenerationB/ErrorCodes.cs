namespace Mooring.Tunnel.Protocol.GenerationB;

/// <summary>Codes of an Error. What a client does with each stands in docs/wire/tunnel.md.</summary>
internal static class ErrorCodes
{
    internal const string Unauthorized = "UNAUTHORIZED";
    internal const string AuthRequired = "AUTH_REQUIRED";
    internal const string SubdomainTaken = "SUBDOMAIN_TAKEN";
    internal const string SubdomainUnavailable = "SUBDOMAIN_UNAVAILABLE";
    internal const string PathTaken = "PATH_TAKEN";
    internal const string PathLimit = "PATH_LIMIT";
    internal const string TcpDisabled = "TCP_DISABLED";
    internal const string HostnameNotRegistered = "HOSTNAME_NOT_REGISTERED";
    internal const string HostnameNotVerified = "HOSTNAME_NOT_VERIFIED";
    internal const string HostnameTaken = "HOSTNAME_TAKEN";
    internal const string HostnameNoCertificate = "HOSTNAME_NO_CERTIFICATE";
    internal const string HostnameIgnored = "HOSTNAME_IGNORED";
    internal const string InvalidPath = "INVALID_PATH";
    internal const string InvalidHostname = "INVALID_HOSTNAME";
    internal const string UnsupportedProtocol = "UNSUPPORTED_PROTOCOL";
    internal const string ServiceUnavailable = "SERVICE_UNAVAILABLE";
    internal const string PoolExhausted = "POOL_EXHAUSTED";
    internal const string TunnelCreateFailed = "TUNNEL_CREATE_FAILED";
    internal const string QuotaTunnels = "QUOTA_TUNNELS";
    internal const string QuotaSessions = "QUOTA_SESSIONS";
    internal const string QuotaBytes = "QUOTA_BYTES";

    /// <summary>No failure: the server will close this connection; the message is the number of seconds left.</summary>
    internal const string Drain = "DRAIN";
}
