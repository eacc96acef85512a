namespace Mooring.Tunnel.Protocol.GenerationB;

/// <summary>What a stream carries: "http", "ws" or "tcp" on the wire.</summary>
internal enum StreamMode
{
    None,
    Http,
    WebSocket,
    Tcp,
}
