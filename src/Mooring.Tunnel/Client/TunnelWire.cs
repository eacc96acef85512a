namespace Mooring.Tunnel.Client;

/// <summary>Generations of the wire between client and server.</summary>
public enum TunnelWire
{
    /// <summary>The newest that the server understands.</summary>
    Automatic,

    /// <summary>Generation A: a connection for each request at a time, whole bodies.</summary>
    A,

    /// <summary>Generation B: one connection with streams.</summary>
    B,
}
