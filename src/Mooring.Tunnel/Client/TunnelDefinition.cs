namespace Mooring.Tunnel.Client;

/// <summary>A tunnel that is wanted.</summary>
public sealed record TunnelDefinition
{
    /// <summary>What the user calls it; for lists of several.</summary>
    public string? Name { get; init; }

    /// <summary>HTTP (default) or raw TCP.</summary>
    public TunnelProtocol Protocol { get; init; }

    /// <summary>Port of the application. 0 for an application that listens on the tunnel itself.</summary>
    public int LocalPort { get; init; }

    /// <summary>Host of the application; null (default) is this machine, over IPv4 or IPv6.</summary>
    public string? LocalHost { get; init; }

    /// <summary>Name wanted; null lets the server choose.</summary>
    public string? Subdomain { get; init; }

    /// <summary>A registered host name wanted; excludes <see cref="Subdomain"/>.</summary>
    public string? Hostname { get; init; }

    /// <summary>A tunnel under a path of the server's choice.</summary>
    public bool IsSpa { get; init; }

    /// <summary>"user:password" that visitors must give.</summary>
    public string? Auth { get; init; }

    /// <summary>Public TCP port wanted; null lets the server choose.</summary>
    public int? RemotePort { get; init; }

    /// <summary>
    /// Version of the PROXY protocol header, 1 or 2, that each connection to a TCP application begins with, so that it learns the visitor's
    /// address; null (default) for none.
    /// </summary>
    public int? ProxyProtocol { get; init; }

    /// <summary>Whether requests are kept for the inspector. Default true; never for TCP.</summary>
    public bool Inspect { get; init; } = true;

    /// <summary>
    /// The Host field that the application sees: null (default) writes its own address, which development servers ask for; "preserve" leaves
    /// what the visitor sent; anything else is sent as it is.
    /// </summary>
    public string? HostHeader { get; init; }

    /// <summary>The application speaks HTTP/2 without TLS only, as gRPC servers do.</summary>
    public bool IsHttp2 { get; init; }

    /// <summary>A Host field that is one: more would write lines of its own into each request.</summary>
    internal static bool IsHostHeader(string? text) => text is null || (text.Length > 0 && text.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0);
}
