using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Mooring.Edge.Hub.Store;

namespace Mooring.Edge.Hub.Api;

/// <summary>
/// Who may use the operators' API. On loopback everyone who is on this machine, and no web page; everywhere else whoever has a token.
/// </summary>
internal sealed class HubAccess(HubStore store, TimeProvider time)
{
    private const int TokenBytes = 32;
    private const string TokenPrefix = "mhub_";

    private static readonly HubCaller Local = new("local", HubRole.Admin, []);

    private volatile IReadOnlyList<TokenRecord> _tokens = [];

    public async Task RefreshAsync(CancellationToken cancellationToken) => _tokens = await store.TokensAsync(cancellationToken);

    /// <summary>Makes a token. It is told once; only its hash is kept.</summary>
    public static async Task<string> CreateAsync(
        HubStore store, string name, HubRole role, IReadOnlyList<string> agents, DateTimeOffset? expiresAt, CancellationToken cancellationToken)
    {
        var token = TokenPrefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(TokenBytes)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        await store.SaveTokenAsync(new TokenRecord(name, HashOf(token), role, agents, expiresAt), cancellationToken);
        return token;
    }

    /// <summary>Who sent a request; null when nobody knows.</summary>
    public HubCaller? CallerOf(HttpContext context)
    {
        var authorization = context.Request.Headers.Authorization.ToString();
        if (authorization.StartsWith("Bearer " + TokenPrefix, StringComparison.Ordinal)) return ByToken(authorization["Bearer ".Length..]);
        // Whoever serves this listener may have asked already who it is.
        if (context.User.Identity is { IsAuthenticated: true, Name: { } name }) return new HubCaller(name, RoleOf(context.User), []);
        return IsLocal(context) ? Local : null;
    }

    private static HubRole RoleOf(ClaimsPrincipal user) =>
        user.IsInRole("admin") ? HubRole.Admin : user.IsInRole("operator") ? HubRole.Operator : HubRole.Viewer;

    private HubCaller? ByToken(string token)
    {
        var hash = HashOf(token);
        // Two hashes are compared: how long that takes tells nothing about the token.
        var found = _tokens.FirstOrDefault(t => t.Hash == hash);
        return found is null || found.ExpiresAt <= time.GetUtcNow() ? null : new HubCaller(found.Name, found.Role, found.Agents);
    }

    /// <summary>
    /// Both ends on loopback, no proxy in between, and no page of another origin: a browser would send those along to whatever name leads here.
    /// </summary>
    private static bool IsLocal(HttpContext context)
    {
        var connection = context.Connection;
        if (connection.RemoteIpAddress is not { } remote || !IPAddress.IsLoopback(remote)) return false;
        if (connection.LocalIpAddress is not { } local || !IPAddress.IsLoopback(local)) return false;
        var headers = context.Request.Headers;
        if (headers.ContainsKey("X-Forwarded-For") || headers.ContainsKey("Forwarded")) return false;
        var host = context.Request.Host.Host;
        if (host != "localhost" && !(IPAddress.TryParse(host.Trim('[', ']'), out var named) && IPAddress.IsLoopback(named)))
            return false;
        var origin = headers[HeaderNames.Origin].ToString();
        return origin.Length == 0 || (Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Authority == context.Request.Host.Value);
    }

    private static string HashOf(string token) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}
