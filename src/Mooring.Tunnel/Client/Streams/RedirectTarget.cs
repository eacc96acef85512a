using System.Text;

namespace Mooring.Tunnel.Client.Streams;

/// <summary>An application that redirects to its own local address means its public one.</summary>
internal static class RedirectTarget
{
    /// <summary>
    /// The public target; null when it stays as it is: relative, or to any host that is not exactly the local one (localhost.evil.example
    /// and //localhost are not).
    /// </summary>
    public static string? Rewrite(ReadOnlySpan<byte> location, ClientTunnel tunnel)
    {
        if (!location.StartsWith("http"u8) || tunnel.Grant is not { Url: { } publicUrl }) return null;
        var text = Encoding.Latin1.GetString(location);
        var separator = text.IndexOf("://", StringComparison.Ordinal);
        if (separator is not (4 or 5)) return null;
        var start = separator + 3;
        var end = text.AsSpan(start).IndexOfAny('/', '?', '#');
        var authority = end < 0 ? text[start..] : text[start..(start + end)];
        if (!IsLocal(authority, text[..separator], tunnel.Definition)) return null;
        return publicUrl.TrimEnd('/') + (end < 0 ? "" : text[(start + end)..]);
    }

    private static bool IsLocal(string authority, string scheme, TunnelDefinition definition)
    {
        var colon = authority.LastIndexOf(':');
        var hasPort = colon > authority.LastIndexOf(']');
        var host = hasPort ? authority[..colon] : authority;
        if (!ControlAddress.IsLoopbackName(host) && !host.Equals(definition.LocalHost, StringComparison.OrdinalIgnoreCase)) return false;
        var port = hasPort ? authority[(colon + 1)..] : scheme == "https" ? "443" : "80";
        return port == definition.LocalPort.ToString(System.Globalization.CultureInfo.InvariantCulture) || !hasPort;
    }
}
