namespace Mooring.Tunnel.Protocol.GenerationA;

/// <summary>
/// A message of generation A. A null text is left out of the encoding and means "not there" after decoding; an empty text is sent.
/// </summary>
internal abstract record ControlMessage
{
    /// <summary>Client's first message on the control connection. <paramref name="User"/> is the token.</summary>
    internal sealed record Auth(
        string? ClientId, string? Os, string? Arch, string? Version, string? MmVersion, string? User, string? Password) : ControlMessage;

    /// <summary>Server's answer. A text in <paramref name="Error"/> is a refusal.</summary>
    internal sealed record AuthResp(string? ClientId, string? Version, string? MmVersion, string? Error) : ControlMessage;

    /// <summary>Client asks for a tunnel.</summary>
    internal sealed record ReqTunnel(
        string? ReqId, string? Protocol, string? Hostname, string? Subdomain, string? HttpAuth, int RemotePort) : ControlMessage;

    /// <summary>Server grants a tunnel, or refuses it with <paramref name="Error"/>.</summary>
    internal sealed record NewTunnel(
        string? ReqId, string? Url, string? Protocol, string? Subdomain, string? TunnelId, string? Error) : ControlMessage;

    /// <summary>Server refuses a request. Written with both spellings of code and message, because both are read.</summary>
    internal sealed record ErrorResp(string? ReqId, string? Code, string? Message) : ControlMessage;

    /// <summary>Server asks for one more proxy connection.</summary>
    internal sealed record ReqProxy : ControlMessage;

    /// <summary>Client's first message on a proxy connection.</summary>
    internal sealed record RegProxy(string? ClientId) : ControlMessage;

    /// <summary>Server binds a proxy connection to a tunnel, once.</summary>
    internal sealed record StartProxy(string? Url, string? ClientAddr, string? RequestId) : ControlMessage;

    /// <summary>One HTTP request (from the server) or response (from the client), encoded; see <see cref="ProxyCodec"/>.</summary>
    internal sealed record Proxy(ReadOnlyMemory<byte> Content) : ControlMessage;

    /// <summary>Either side asks for a sign of life.</summary>
    internal sealed record Ping : ControlMessage;

    /// <summary>The sign of life.</summary>
    internal sealed record Pong : ControlMessage;

    /// <summary>Client keeps the reservation of a name alive.</summary>
    internal sealed record Heartbeat(string? Subdomain, double Timestamp) : ControlMessage;
}
