using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Mooring.Tunnel.Server.Accounts;

namespace Mooring.Tunnel.Server.Api;

/// <summary>The REST API of accounts and tokens.</summary>
internal static class AccountEndpoints
{
    private const string InvalidToken = "Invalid auth token";

    public static void Map(IEndpointRouteBuilder routes, TunnelServer server)
    {
        routes.MapPost("/api/v1/auth/register", (HttpContext context) => RegisterAsync(context, server));
        routes.MapPost("/api/v1/auth/reactivate-token", (HttpContext context) => ReactivateAsync(context, server));
        routes.MapPost("/api/v1/auth/verify-token", (HttpContext context) => VerifyOldAsync(context, server));
        routes.MapPost("/api/v1/auth/refresh", (HttpContext context) => RotateAsync(context, server));
        routes.MapPost("/api/v1/auth/login", (HttpContext context) => RotateAsync(context, server));
        routes.MapGet("/api/v1/auth/verify", (HttpContext context) => MeAsync(context, server));
        routes.MapGet("/api/v1/users/me", (HttpContext context) => MeAsync(context, server));
    }

    /// <summary>The account of the Bearer token; null after the request was answered with 401 or 429.</summary>
    public static async Task<Account?> AccountOfAsync(HttpContext context, TunnelServer server, TokenScopes scope = TokenScopes.Api)
    {
        var remote = Remote(context);
        if (!server.Sessions.Failures.IsAllowed(remote))
        {
            await TooManyAsync(context, server.Sessions.Failures.Period);
            return null;
        }
        const string Scheme = "Bearer ";
        var header = context.Request.Headers.Authorization.ToString();
        var account = header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? await server.Accounts.AuthenticateAsync(header[Scheme.Length..].Trim(), context.RequestAborted)
            : null;
        if (account is not null && (account.Scopes & scope) == scope) return account;
        if (account is null) server.Sessions.Failures.Count(remote);
        context.Response.Headers.WWWAuthenticate = "Bearer";
        await ErrorAsync(context, account is null ? 401 : 403, account is null ? InvalidToken : "the token may not do this");
        return null;
    }

    public static Task ErrorAsync(HttpContext context, int status, string detail) =>
        AnswerAsync(context, status, new ErrorAnswer(detail), AccountJson.Default.ErrorAnswer);

    public static async Task AnswerAsync<T>(HttpContext context, int status, T body, JsonTypeInfo<T> type)
    {
        context.Response.StatusCode = status;
        await context.Response.WriteAsJsonAsync(body, type, cancellationToken: context.RequestAborted);
    }

    /// <summary>The body; null after the request was answered with 400.</summary>
    public static async Task<T?> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            if (await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted) is { } body) return body;
        }
        catch (JsonException)
        {
            // Answered below.
        }
        await ErrorAsync(context, 400, "the body is not the JSON that is expected here");
        return null;
    }

    private static string Remote(HttpContext context) => context.Connection.RemoteIpAddress?.ToString() ?? "";

    private static async Task TooManyAsync(HttpContext context, TimeSpan wait)
    {
        context.Response.Headers.RetryAfter = ((int)wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        await ErrorAsync(context, 429, "too many attempts from this address");
    }

    private static async Task RegisterAsync(HttpContext context, TunnelServer server)
    {
        if (await ReadAsync(context, AccountJson.Default.RegisterRequest) is not { } request) return;
        if (!server.AllowsRegistration)
        {
            await ErrorAsync(context, 403, "accounts are made by the operator of this server");
            return;
        }
        var email = request.Email?.Trim() ?? "";
        if (email.Length is 0 or > 254 || email.IndexOf('@', StringComparison.Ordinal) is < 1 || email.AsSpan().ContainsAny(" \r\n\t<>\""))
        {
            await ErrorAsync(context, 400, "email is not an address");
            return;
        }
        if (!server.Sessions.Registrations.TryCount(Remote(context)))
        {
            await TooManyAsync(context, server.Sessions.Registrations.Period);
            return;
        }
        if (await server.Accounts.RegisterAsync(email, TokenScopes.Owner, context.RequestAborted) is not { } added)
        {
            await ErrorAsync(context, 400, "this address has an account already");
            return;
        }
        await AnswerAsync(context, 200, new AccountAnswer(added.AccountId, email, added.Token), AccountJson.Default.AccountAnswer);
    }

    // A token that works is given anew; one that was revoked stays so.
    private static async Task ReactivateAsync(HttpContext context, TunnelServer server)
    {
        if (await FindOldAsync(context, server) is not { } account) return;
        var token = await server.Accounts.AddTokenAsync(account.Id, account.Scopes, "reactivation", context.RequestAborted);
        await AnswerAsync(context, 200, new TokenAnswer(token!, token!, account.Email), AccountJson.Default.TokenAnswer);
    }

    private static async Task VerifyOldAsync(HttpContext context, TunnelServer server)
    {
        if (await FindOldAsync(context, server) is not { } account) return;
        await AnswerAsync(context, 200, new VerifiedToken(account.Id, account.Email), AccountJson.Default.VerifiedToken);
    }

    private static async Task<Account?> FindOldAsync(HttpContext context, TunnelServer server)
    {
        if (await ReadAsync(context, AccountJson.Default.OldTokenRequest) is not { } request) return null;
        var remote = Remote(context);
        if (!server.Sessions.Failures.IsAllowed(remote))
        {
            await TooManyAsync(context, server.Sessions.Failures.Period);
            return null;
        }
        if (await server.Accounts.AuthenticateAsync(request.OldToken ?? "", context.RequestAborted) is { } account) return account;
        server.Sessions.Failures.Count(remote);
        await ErrorAsync(context, 404, "unknown token");
        return null;
    }

    private static async Task RotateAsync(HttpContext context, TunnelServer server)
    {
        if (await AccountOfAsync(context, server) is not { } account) return;
        var token = await server.Accounts.RotateAsync(account, context.RequestAborted);
        await AnswerAsync(context, 200, new TokenAnswer(token, token, account.Email), AccountJson.Default.TokenAnswer);
    }

    private static async Task MeAsync(HttpContext context, TunnelServer server)
    {
        if (await AccountOfAsync(context, server) is not { } account) return;
        await AnswerAsync(context, 200, new AccountAnswer(account.Id, account.Email, null), AccountJson.Default.AccountAnswer);
    }
}
