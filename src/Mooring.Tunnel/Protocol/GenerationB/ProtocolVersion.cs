namespace Mooring.Tunnel.Protocol.GenerationB;

/// <summary>Framing versions of generation B.</summary>
internal static class ProtocolVersion
{
    /// <summary>Header map, whole bodies in StreamOpen. What a peer speaks that names no version.</summary>
    internal const int One = 1;

    /// <summary>Header lists, streamed bodies, framed WebSocket messages.</summary>
    internal const int Two = 2;

    /// <summary>Version two and the capabilities that both ends listed.</summary>
    internal const int Three = 3;

    /// <summary>The version in force: the smaller of both; numbers below 1 count as 1.</summary>
    internal static int Agree(int ours, int theirs) => Math.Max(One, Math.Min(ours, theirs));

    /// <summary>Capabilities in force: those both listed, and none below version 3.</summary>
    internal static Capabilities Agree(int version, Capabilities ours, Capabilities theirs) =>
        version >= Three ? ours & theirs : Capabilities.None;
}
