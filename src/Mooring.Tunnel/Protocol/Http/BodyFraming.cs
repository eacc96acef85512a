namespace Mooring.Tunnel.Protocol.Http;

/// <summary>How the end of a message body is found (RFC 9112 6.3).</summary>
internal enum BodyFraming
{
    None,
    Length,
    Chunked,
    UntilClose,
}
