namespace Mooring.Tunnel.Protocol.GenerationA;

/// <summary>A whole HTTP response.</summary>
/// <param name="Status">Status code, 100 to 999.</param>
/// <param name="Headers">Fields in their order.</param>
/// <param name="Body">The whole body; it may still have chunk framing when the fields announce it.</param>
internal sealed record ProxyResponse(int Status, IReadOnlyList<KeyValuePair<string, string>> Headers, ReadOnlyMemory<byte> Body);
