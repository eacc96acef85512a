namespace Mooring.Tunnel.Protocol;

/// <summary>Sizes that both ends must agree on or at least accept.</summary>
internal static class WireLimits
{
    /// <summary>Largest payload of one StreamData, in bytes. Both generations' clients cut at it.</summary>
    internal const int ChunkBytes = 64 * 1024;

    /// <summary>Largest message that either end must accept: a payload of 10 MiB and its map.</summary>
    internal const int MessageBytesMax = 10 * 1024 * 1024 + 64 * 1024;

    /// <summary>Concurrent streams of one connection.</summary>
    internal const int StreamsMax = 256;

    /// <summary>Concurrent streams of one connection from version 3 on, where windows bound what each may hold.</summary>
    internal const int StreamsMaxWithWindows = 4096;

    /// <summary>Bytes that each direction of a stream may send before credit comes back ("win"), unless StreamOpen says otherwise.</summary>
    internal const int StreamWindowBytes = 256 * 1024;

    /// <summary>Largest body in one message of generation A: above it the client's WebSocket closes with 1009.</summary>
    internal const int GenerationABodyBytes = 4_000_000;

    /// <summary>Everything that clients ask for lies below it.</summary>
    internal const string ApiPath = "/api/v1";

    /// <summary>Path of the control connection, both generations.</summary>
    internal const string ControlPath = "/api/v1/ws/tunnel";

    /// <summary>Path of generation A's proxy connections.</summary>
    internal const string ProxyPath = "/api/v1/ws/proxy";
}
