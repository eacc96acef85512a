using System.Net;

namespace Mooring.Tunnel.Server.Names;

/// <summary>Which names a tunnel may have.</summary>
internal static class NameRules
{
    internal const int LabelMin = 3;
    internal const int LabelMax = 63;
    internal const int HostnameMax = 253;

    private static readonly HashSet<string> s_reserved = new(StringComparer.Ordinal)
    {
        "www", "api", "admin", "app", "mail", "docs", "status", "blog", "help", "support", "login", "auth", "account", "accounts", "billing",
        "static", "cdn", "assets", "dashboard", "console", "root", "localhost", "ftp", "smtp", "imap", "pop", "ns1", "ns2", "mooring", "retunnel", "tunnel",
    };

    /// <summary>A label of DNS: a–z, 0–9 and dashes inside.</summary>
    public static bool IsLabel(string text) =>
        text.Length is >= LabelMin and <= LabelMax && text[0] != '-' && text[^1] != '-'
        && text.AsSpan().IndexOfAnyExcept("abcdefghijklmnopqrstuvwxyz0123456789-") < 0;

    /// <summary>Reserved, or easily mistaken for one that is.</summary>
    public static bool IsReserved(string label) => s_reserved.Contains(label) || s_reserved.Contains(Plain(label, 'l')) || s_reserved.Contains(Plain(label, 'i')) || label.StartsWith("xn--", StringComparison.Ordinal)
        || label.StartsWith("tcp-", StringComparison.Ordinal);

    /// <summary>Ports of mail, through which nobody's tunnel shall send any.</summary>
    public static bool IsBlockedPort(int port) => port is 25 or 465 or 587 or 2525;

    /// <summary>A host name of an account's own: at least two labels, no port, no address.</summary>
    public static bool TryHostname(string text, out string hostname)
    {
        hostname = text.ToLowerInvariant().TrimEnd('.');
        if (hostname.Length is 0 or > HostnameMax || IPAddress.TryParse(hostname, out _)) return false;
        var labels = hostname.Split('.');
        return labels.Length >= 2 && !labels[^1].All(char.IsAsciiDigit) && labels.All(label =>
            label.Length is > 0 and <= LabelMax && label[0] != '-' && label[^1] != '-'
            && label.AsSpan().IndexOfAnyExcept("abcdefghijklmnopqrstuvwxyz0123456789-") < 0);
    }

    // Digits that look like letters, and dashes that are overlooked.
    private static string Plain(string label, char one) => label.Replace("-", "", StringComparison.Ordinal)
        .Replace('0', 'o').Replace('1', one).Replace('3', 'e').Replace('4', 'a').Replace('5', 's').Replace('7', 't');
}
