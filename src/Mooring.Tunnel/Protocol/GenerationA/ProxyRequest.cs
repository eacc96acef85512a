namespace Mooring.Tunnel.Protocol.GenerationA;

/// <summary>A whole HTTP request. Header names are unique: who writes one has joined repeated fields.</summary>
/// <param name="Method">Verb; GET when it was not there.</param>
/// <param name="Path">Path without query; "/" when it was not there.</param>
/// <param name="Query">Query without the question mark.</param>
/// <param name="Headers">Fields in their order.</param>
/// <param name="Body">The whole body.</param>
internal sealed record ProxyRequest(
    string Method, string Path, string Query, IReadOnlyList<KeyValuePair<string, string>> Headers, ReadOnlyMemory<byte> Body);
