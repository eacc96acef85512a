namespace Mooring.Cli.Access;

/// <summary>
/// What each request on the operators' listener asks for: one table, read from the top, in which the first row that fits counts. A request
/// that no row names may be made by operators, so that something new is never open by being forgotten.
/// </summary>
internal static class AccessPolicy
{
    private const string Read = "GET HEAD";
    private const string Any = "";

    /// <summary>Methods (none for any), path, rule. <c>*</c> stands for one segment and <c>**</c> for all that follow.</summary>
    private static readonly (string Methods, string Path, AccessRule Rule)[] Table =
    [
        (Read, "/health/**", AccessRule.Open),
        (Read, "/login", AccessRule.Open),
        (Read, "/login.css", AccessRule.Open),
        ("POST", "/api/login", AccessRule.Open),
        ("POST", "/api/logout", AccessRule.Viewer),
        (Any, "/api/users/**", AccessRule.Admin),
        (Any, "/api/audit", AccessRule.Admin),
        ("PUT", "/api/log-level", AccessRule.Admin),
        (Read, "/api/edge/audit", AccessRule.Admin),
        // Agents: who is let in, and calls that reach the machine itself.
        ("POST", "/api/orchestrators", AccessRule.Admin),
        ("PATCH DELETE", "/api/orchestrators/*", AccessRule.Admin),
        ("POST", "/api/orchestrators/*/claim", AccessRule.Admin),
        ("POST", "/api/orchestrators/*/revoke", AccessRule.Admin),
        ("POST", "/api/orchestrators/*/upgrade", AccessRule.Admin),
        ("POST", "/api/orchestrators/*/topics/*", AccessRule.Admin),
        // A runtime decides by itself what a GET does.
        (Any, "/api/orchestrators/*/devices/*/proxy/**", AccessRule.Operator),
        ("POST", "/agent/heartbeat", AccessRule.Viewer),
        (Any, "/agent/**", AccessRule.Admin),
        // Tunnels: accounts and tokens are others' credentials.
        (Any, "/admin/v1/accounts/**", AccessRule.Admin),
        ("POST", "/admin/v1/drain", AccessRule.Admin),
        ("POST", "/admin/v1/undrain", AccessRule.Admin),
        (Read, "/**", AccessRule.Viewer),
        (Any, "/**", AccessRule.Operator),
    ];

    /// <summary>The paths that the table names.</summary>
    internal static IEnumerable<string> Paths => Table.Select(row => row.Path);

    /// <summary>Whether a path is one that a row means.</summary>
    internal static bool IsMeantBy(string row, string path) => Fits(row, Segments(path));

    internal static AccessRule Of(string method, string path)
    {
        var segments = Segments(path);
        foreach (var row in Table)
            if ((row.Methods.Length == 0 || row.Methods.Split(' ').Contains(method, StringComparer.Ordinal)) && Fits(row.Path, segments)) return row.Rule;
        return AccessRule.Operator;
    }

    /// <summary>Whether a request is noted in the audit log: whatever may change something.</summary>
    internal static bool IsAudited(string method, string path) =>
        method is not ("GET" or "HEAD" or "OPTIONS") || IsRuntimePath(path);

    /// <summary>Answers of a runtime are foreign pages, which must not act as the console.</summary>
    internal static bool IsRuntimePath(string path) =>
        Fits("/api/orchestrators/*/devices/*/proxy/**", Segments(path));

    /// <summary>Paths on which the hub's own tokens are good; it judges them itself.</summary>
    internal static bool IsHubPath(string path) =>
        Fits("/api/orchestrators/**", Segments(path)) || Fits("/api/edge/**", Segments(path)) || Fits("/agent/**", Segments(path));

    private static string[] Segments(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries);

    // Routing compares without regard to case, and so must the table that guards it.
    private static bool Fits(string pattern, string[] segments)
    {
        var parts = pattern.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < parts.Length; i++)
        {
            if (parts[i] == "**") return true;
            if (i >= segments.Length || (parts[i] != "*" && !string.Equals(parts[i], segments[i], StringComparison.OrdinalIgnoreCase))) return false;
        }
        return parts.Length == segments.Length;
    }
}
