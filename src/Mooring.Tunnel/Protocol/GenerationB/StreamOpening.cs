namespace Mooring.Tunnel.Protocol.GenerationB;

/// <summary>Fields of StreamOpen; which of them are sent depends on the version and the capabilities in force.</summary>
internal ref struct StreamOpening
{
    public long StreamId;
    public ReadOnlySpan<byte> TunnelId;
    public StreamMode Mode;
    public ReadOnlySpan<byte> Path;

    /// <summary>Encoded: a list of pairs from <see cref="HeaderBlock"/>, or a map for version 1.</summary>
    public ReadOnlySpan<byte> Headers;

    /// <summary>Version 1 only: the whole body.</summary>
    public ReadOnlySpan<byte> Body;

    /// <summary>Empty in version 1, where the verb is a header.</summary>
    public ReadOnlySpan<byte> Method;

    public bool HasBody;

    /// <summary>Capability "win"; not sent when 0.</summary>
    public long Window;

    /// <summary>Capability "meta"; not sent when empty, as the next three.</summary>
    public ReadOnlySpan<byte> ClientAddress;
    public bool IsTls;
    public ReadOnlySpan<byte> RequestId;
    public long DeadlineMilliseconds;
}
