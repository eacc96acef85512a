namespace Mooring.Tunnel.Protocol.WebSocket;

/// <summary>What stands before the payload of a WebSocket frame.</summary>
/// <param name="Opcode">Kind of frame.</param>
/// <param name="IsFinal">Last frame of its message.</param>
/// <param name="MaskKey">Key in the order of its bytes in memory; null when the payload is not masked.</param>
/// <param name="PayloadLength">Bytes that follow.</param>
/// <param name="Length">Bytes of the header itself.</param>
internal readonly record struct WebSocketFrameHeader(
    WebSocketOpcode Opcode, bool IsFinal, uint? MaskKey, long PayloadLength, int Length)
{
    public bool IsControl => Opcode >= WebSocketOpcode.Close;
}
