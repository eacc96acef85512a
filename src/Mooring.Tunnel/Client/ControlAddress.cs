using Mooring.Tunnel.Protocol;

namespace Mooring.Tunnel.Client;

/// <summary>Where the server is, from what a user writes: <c>host</c>, <c>host:port</c>, <c>ws://…</c>, <c>wss://…</c>, <c>http://…</c> or <c>https://…</c>.</summary>
/// <param name="Host">Name or address, without brackets.</param>
/// <param name="Port">TCP port.</param>
/// <param name="IsTls">Whether TLS is spoken.</param>
/// <param name="Prefix">Path before <c>/api/v1/…</c>, mostly empty.</param>
internal sealed record ControlAddress(string Host, int Port, bool IsTls, string Prefix)
{
    private const string ApiMark = "/api/v1/";

    /// <summary>This machine, by its exact names: look-alikes such as localhost.example.com are not.</summary>
    public bool IsLoopback => IsLoopbackName(Host);

    public string Authority => (Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host) + (Port == (IsTls ? 443 : 80) ? "" : $":{Port}");

    public string ControlPath => Prefix + WireLimits.ControlPath;

    public string ProxyPath => Prefix + WireLimits.ProxyPath;

    /// <summary>Base of the REST API, without a slash at the end.</summary>
    public string Api => $"{(IsTls ? "https" : "http")}://{Authority}{Prefix}";

    public override string ToString() => $"{(IsTls ? "wss" : "ws")}://{Authority}{Prefix}";

    /// <summary>
    /// Where visitors reach a tunnel of a given name. A server that names itself localhost, as those behind a proxy do, is known by the name it was
    /// dialled with.
    /// </summary>
    public string PublicUrl(string url, string? subdomain)
    {
        if (string.IsNullOrEmpty(subdomain) || IsLoopback || Uri.CheckHostName(Host) != UriHostNameType.Dns) return url;
        return Uri.TryCreate(url, UriKind.Absolute, out var given) && (IsLoopbackName(given.Host) || given.Host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase))
            ? $"https://{subdomain}.{Host}"
            : url;
    }

    public static bool IsLoopbackName(string host) => host.Trim('[', ']').ToLowerInvariant() is "localhost" or "127.0.0.1" or "::1";

    /// <exception cref="TunnelException">It is no address.</exception>
    public static ControlAddress Parse(string text)
    {
        var hasScheme = text.Contains("://", StringComparison.Ordinal);
        if (!Uri.TryCreate(hasScheme ? text : "ws://" + text, UriKind.Absolute, out var uri) || uri.Host.Length == 0
            || uri.Scheme is not ("ws" or "wss" or "http" or "https"))
        {
            throw new TunnelException(
                $"'{text}' is no server address: use HOST, HOST:PORT, ws://HOST:PORT or wss://HOST", "INVALID_SERVER", TunnelOutcome.Invalid);
        }
        var host = uri.Host.Trim('[', ']');
        var isTls = hasScheme ? uri.Scheme is "wss" or "https" : !IsLoopbackName(host);
        var path = uri.AbsolutePath;
        var api = path.IndexOf(ApiMark, StringComparison.Ordinal);
        if (api >= 0) path = path[..api];
        var hasPort = !uri.IsDefaultPort || text.EndsWith($":{uri.Port}", StringComparison.Ordinal);
        return new ControlAddress(host, hasPort ? uri.Port : isTls ? 443 : 80, isTls, path.TrimEnd('/'));
    }
}
