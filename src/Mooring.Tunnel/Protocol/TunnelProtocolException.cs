namespace Mooring.Tunnel.Protocol;

/// <summary>Bytes from the other end are not what the wire allows. The only exception that the codecs of this folder throw.</summary>
internal sealed class TunnelProtocolException(TunnelProtocolError error, string detail) : Exception($"{error}: {detail}")
{
    public TunnelProtocolError Error { get; } = error;
}
