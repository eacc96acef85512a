namespace Mooring.Tunnel.Protocol.GenerationB;

/// <summary>What the bytes of a StreamData are: a chunk of a byte sequence, or (a part of) a WebSocket message; "ws_type" on the wire.</summary>
internal enum DataKind : byte
{
    Bytes = 0,
    Text = 1,
    Binary = 2,
}
