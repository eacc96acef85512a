namespace Mooring.Tunnel.Protocol.GenerationB;

/// <summary>The frames of generation B; the names are those on the wire.</summary>
internal enum FrameKind
{
    None,
    Auth,
    HeartbeatAck,
    Heartbeat,
    TunnelCreate,
    TunnelCreated,
    StreamOpen,
    StreamData,
    StreamClose,
    StreamReset,
    Error,
}
