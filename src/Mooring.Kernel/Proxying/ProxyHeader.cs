using System.Net;

namespace Mooring.Kernel.Proxying;

/// <summary>What a proxy says of the connection that it passes on.</summary>
/// <param name="Source">Who connected to the proxy; null when it does not know, or speaks for itself.</param>
/// <param name="Destination">Where to.</param>
public readonly record struct ProxyHeader(IPEndPoint? Source, IPEndPoint? Destination);
