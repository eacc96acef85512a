using System.Net;

namespace Mooring.Cli.Access;

/// <summary>
/// Keeps web pages of others out. A page may make a browser send requests to any name; the name that it used (<c>Host</c>) and the page that
/// sent them (<c>Origin</c>) cannot be forged by it. A foreign name that resolves to this machine is DNS rebinding.
/// </summary>
/// <param name="names">Names by which operators reach this server, beside its addresses and localhost.</param>
/// <param name="isLoopback">Whether only this machine reaches the listener.</param>
internal sealed class RequestOrigin(IReadOnlyList<string> names, bool isLoopback)
{
    /// <summary>What is wrong with where a request comes from; null when nothing is.</summary>
    internal string? Problem(HttpRequest request)
    {
        var isNavigation = HttpMethods.IsGet(request.Method) && request.Headers["Sec-Fetch-Mode"] == "navigate";
        return Problem(request.Host.Value ?? "", request.Headers.Origin.ToString(), request.Headers["Sec-Fetch-Site"].ToString(), isNavigation);
    }

    /// <summary>The same, field by field.</summary>
    /// <param name="host">The field Host, with its port.</param>
    /// <param name="origin">The field Origin; empty without one.</param>
    /// <param name="fetchSite">The field Sec-Fetch-Site; empty without one.</param>
    /// <param name="isNavigation">Whether the request opens a page: a link from elsewhere may.</param>
    internal string? Problem(string host, string origin, string fetchSite, bool isNavigation)
    {
        if (!IsKnown(HostOf(host))) return $"this server is not known as '{HostOf(host)}'; --http-host makes the name known";
        if (origin.Length > 0)
        {
            var isOwn = Uri.TryCreate(origin, UriKind.Absolute, out var from)
                && (string.Equals(from.Authority, host, StringComparison.OrdinalIgnoreCase) || names.Contains(from.Host, StringComparer.OrdinalIgnoreCase));
            if (!isOwn) return "requests of other sites' pages are refused";
        }
        return fetchSite is "cross-site" or "same-site" && origin.Length == 0 && !isNavigation ? "requests of other sites' pages are refused" : null;
    }

    private bool IsKnown(string name)
    {
        if (names.Contains(name, StringComparer.OrdinalIgnoreCase)) return true;
        if (string.Equals(name, "localhost", StringComparison.OrdinalIgnoreCase)) return true;
        // No page can make a browser write a number there that leads elsewhere.
        return IPAddress.TryParse(name, out var address) && (!isLoopback || IPAddress.IsLoopback(address));
    }

    private static string HostOf(string host)
    {
        if (host.StartsWith('[')) return host[1..Math.Max(host.IndexOf(']', StringComparison.Ordinal), 1)];
        var colon = host.LastIndexOf(':');
        return colon < 0 ? host : host[..colon];
    }
}
