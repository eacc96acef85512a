using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Server.Accounts;
using Mooring.Tunnel.Server.Names;
using Mooring.Tunnel.Server.Sessions;

namespace Mooring.Tunnel.Server.Api;

/// <summary>What operators see and do. Answers are pages with a cursor; errors are problem+json (RFC 9457).</summary>
internal static class AdminEndpoints
{
    private const int PageDefault = 100;
    private const int PageMax = 1000;

    public static void Map(IEndpointRouteBuilder routes, TunnelServer server)
    {
        var admin = routes.MapGroup("/admin/v1").AddEndpointFilter((context, next) => FilterAsync(context, next, server));
        admin.MapGet("/version", (HttpContext context) => VersionAsync(context, server));
        admin.MapGet("/health", (HttpContext context) => HealthAsync(context));
        admin.MapGet("/ready", (HttpContext context) => ReadyAsync(context, server));
        admin.MapGet("/ports", (HttpContext context) => PortsAsync(context, server));
        admin.MapGet("/sessions/{id}", (HttpContext context, string id) => SessionAsync(context, server, id));
        admin.MapGet("/tunnels/{id}", (HttpContext context, string id) => TunnelAsync(context, server, id));
        admin.MapGet("/hostnames/{id}", (HttpContext context, string id) => HostnameAsync(context, server, id));
        admin.MapPost("/reload", (HttpContext context) => ReloadAsync(context, server));
        admin.MapGet("/sessions", (HttpContext context) => SessionsAsync(context, server));
        admin.MapDelete("/sessions/{id}", (HttpContext context, string id) => KickAsync(context, server, id));
        admin.MapGet("/tunnels", (HttpContext context) => TunnelsAsync(context, server));
        admin.MapDelete("/tunnels/{id}", (HttpContext context, string id) =>
            server.Directory.TryGet(id, out var binding) ? KickAsync(context, server, binding.Session.Id) : ProblemAsync(context, 404, "there is no such tunnel"));
        admin.MapGet("/names", (HttpContext context) => NamesAsync(context, server));
        admin.MapPut("/names/{label}", (HttpContext context, string label) => ReserveAsync(context, server, label));
        admin.MapGet("/hostnames", (HttpContext context) => HostnamesAsync(context, server));
        admin.MapGet("/accounts", (HttpContext context) => AccountsAsync(context, server));
        admin.MapPost("/accounts", (HttpContext context) => AddAccountAsync(context, server));
        admin.MapPost("/accounts/{id}/tokens", (HttpContext context, string id) => AddTokenAsync(context, server, id));
        admin.MapDelete("/accounts/{id}/tokens/{token}", async (HttpContext context, string id, string token) => await DoneAsync(
            context, await server.Accounts.RevokeAsync(id, token, context.RequestAborted), "there is no such token"));
        admin.MapPut("/accounts/{id}/quota", (HttpContext context, string id) => SetQuotaAsync(context, server, id));
        admin.MapPost("/drain", async (HttpContext context) =>
        {
            context.Response.StatusCode = StatusCodes.Status202Accepted;
            await server.DrainAsync(server.Options.Limits.DrainTimeout, CancellationToken.None);
        });
        admin.MapPost("/undrain", (HttpContext context) =>
        {
            server.Undrain();
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        });
    }

    private static Task VersionAsync(HttpContext context, TunnelServer server) => AnswerAsync(
        context, new VersionView(typeof(TunnelServer).Assembly.GetName().Version?.ToString(3) ?? "", server.IsDraining, server.Sessions.Count, server.Directory.Count),
        AdminJson.Default.VersionView);

    private static Task SessionsAsync(HttpContext context, TunnelServer server) => PageAsync(
        context, server.Sessions.All.Select(ViewOf), view => view.Id, AdminJson.Default.PageSessionView);

    private static SessionView ViewOf(ServerSession s) => new(
        s.Id, s.Account.Id, s.Remote, s.Generation, s.Started, s.Bindings.Count, s.StreamCount, s.Link.BytesSent, s.Link.BytesReceived, s.IsDraining);

    private static Task TunnelsAsync(HttpContext context, TunnelServer server) => PageAsync(
        context, server.Directory.All.Select(ViewOf), view => view.Id, AdminJson.Default.PageTunnelView);

    private static TunnelView ViewOf(TunnelBinding t) => new(
        t.Name, t.Url, t.Protocol, t.Account.Id, t.Session.Id, t.Created, t.Requests, t.BytesIn, t.BytesOut);

    private static Task HealthAsync(HttpContext context) => AnswerAsync(context, new StateView("ok"), AdminJson.Default.StateView);

    private static Task ReadyAsync(HttpContext context, TunnelServer server) => AccountEndpoints.AnswerAsync(
        context, server.IsReady ? 200 : 503, new StateView(server.IsReady ? "ready" : server.IsDraining ? "draining" : "starting"), AdminJson.Default.StateView);

    private static Task SessionAsync(HttpContext context, TunnelServer server, string id) => FoundAsync(
        context, server.Sessions.Find(id) is { } session ? ViewOf(session) : null, "there is no such session", AdminJson.Default.SessionView);

    private static Task TunnelAsync(HttpContext context, TunnelServer server, string id) => FoundAsync(
        context, server.Directory.TryGet(id, out var tunnel) ? ViewOf(tunnel) : null, "there is no such tunnel", AdminJson.Default.TunnelView);

    private static async Task HostnameAsync(HttpContext context, TunnelServer server, string id) => await FoundAsync(
        context, await server.Hostnames.FindAsync(id, context.RequestAborted), "there is no such host name", AdminJson.Default.OwnHostname);

    private static Task ReloadAsync(HttpContext context, TunnelServer server)
    {
        if (!server.TryReload()) return ProblemAsync(context, 409, "the certificate's files cannot be used; the one before stays");
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private static async Task PortsAsync(HttpContext context, TunnelServer server) => await PageAsync(
        context, await server.Names.ListPortsAsync(context.RequestAborted), lease => lease.Port.ToString("00000", CultureInfo.InvariantCulture), AdminJson.Default.PagePortLease);

    private static Task FoundAsync<T>(HttpContext context, T? found, string otherwise, JsonTypeInfo<T> type)
        where T : class => found is null ? ProblemAsync(context, 404, otherwise) : AnswerAsync(context, found, type);

    private static async Task NamesAsync(HttpContext context, TunnelServer server) => await AnswerPageAsync(
        context, await server.Names.ListAsync(After(context), Count(context), context.RequestAborted), name => name.Label, AdminJson.Default.PageNameReservation);

    private static async Task HostnamesAsync(HttpContext context, TunnelServer server) => await PageAsync(
        context, await server.Hostnames.ListAsync("", context.RequestAborted), own => own.Hostname, AdminJson.Default.PageOwnHostname);

    private static async Task AccountsAsync(HttpContext context, TunnelServer server) => await AnswerPageAsync(
        context, await server.Accounts.ListAsync(After(context), Count(context), context.RequestAborted), account => account.Id, AdminJson.Default.PageAccountSummary);

    // On loopback the machine's own users are operators; from elsewhere a token of scope admin is needed.
    private static async ValueTask<object?> FilterAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next, TunnelServer server)
    {
        var http = context.HttpContext;
        // Whoever serves this listener has asked who it is, and whether they may.
        if (http.User.Identity is { IsAuthenticated: true }) return await next(context);
        if (http.Connection.LocalIpAddress is { } local && System.Net.IPAddress.IsLoopback(local) && !http.Request.Headers.ContainsKey("Origin")) return await next(context);
        return await AccountEndpoints.AccountOfAsync(http, server, TokenScopes.Admin) is null ? Results.Empty : await next(context);
    }

    private static string After(HttpContext context) => context.Request.Query["after"].ToString();

    private static int Count(HttpContext context) =>
        int.TryParse(context.Request.Query["limit"], NumberStyles.Integer, CultureInfo.InvariantCulture, out var limit) ? Math.Clamp(limit, 1, PageMax) : PageDefault;

    private static Task PageAsync<T>(HttpContext context, IEnumerable<T> all, Func<T, string> key, JsonTypeInfo<Page<T>> type)
    {
        var after = After(context);
        return AnswerPageAsync(
            context, [.. all.Where(item => string.CompareOrdinal(key(item), after) > 0).OrderBy(key, StringComparer.Ordinal).Take(Count(context))], key, type);
    }

    private static Task AnswerPageAsync<T>(HttpContext context, IReadOnlyList<T> items, Func<T, string> key, JsonTypeInfo<Page<T>> type) =>
        AnswerAsync(context, new Page<T>(items, items.Count == Count(context) ? key(items[^1]) : null), type);

    private static Task AnswerAsync<T>(HttpContext context, T body, JsonTypeInfo<T> type) => AccountEndpoints.AnswerAsync(context, 200, body, type);

    private static async Task ProblemAsync(HttpContext context, int status, string title)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/problem+json";
        await JsonSerializer.SerializeAsync(context.Response.Body, new Problem(status, title), AdminJson.Default.Problem, context.RequestAborted);
    }

    private static Task DoneAsync(HttpContext context, bool isDone, string otherwise)
    {
        if (!isDone) return ProblemAsync(context, 404, otherwise);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private static async Task KickAsync(HttpContext context, TunnelServer server, string id)
    {
        if (server.Sessions.Find(id) is not { } session)
        {
            await ProblemAsync(context, 404, "there is no such session");
            return;
        }
        await session.CloseAsync(CloseCodes.Kicked, "ended by an operator");
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static async Task ReserveAsync(HttpContext context, TunnelServer server, string label)
    {
        if (await AccountEndpoints.ReadAsync(context, AdminJson.Default.NameRequest) is not { } request) return;
        if (!NameRules.IsLabel(label)) await ProblemAsync(context, 400, "no label of 3 to 63 of a-z, 0-9 and -");
        else await DoneAsync(context, await server.Names.ReserveAsync(label, request.Account ?? "", context.RequestAborted), "there is no such account");
    }

    private static async Task AddAccountAsync(HttpContext context, TunnelServer server)
    {
        if (await AccountEndpoints.ReadAsync(context, AdminJson.Default.NewAccountRequest) is not { } request) return;
        if (string.IsNullOrWhiteSpace(request.Email))
        {
            await ProblemAsync(context, 400, "email is needed");
            return;
        }
        var scopes = request.Admin ? TokenScopes.Owner | TokenScopes.Admin : TokenScopes.Owner;
        if (await server.Accounts.RegisterAsync(request.Email, scopes, context.RequestAborted) is not { } added) await ProblemAsync(context, 409, "this address has an account already");
        else await AccountEndpoints.AnswerAsync(context, 200, new AccountAnswer(added.AccountId, request.Email, added.Token), AccountJson.Default.AccountAnswer);
    }

    private static async Task AddTokenAsync(HttpContext context, TunnelServer server, string id)
    {
        if (await AccountEndpoints.ReadAsync(context, AdminJson.Default.NewTokenRequest) is not { } request) return;
        var scopes = request.Admin ? TokenScopes.Owner | TokenScopes.Admin : TokenScopes.Owner;
        if (await server.Accounts.AddTokenAsync(id, scopes, request.Label ?? "", context.RequestAborted) is not { } token) await ProblemAsync(context, 404, "there is no such account");
        else await AccountEndpoints.AnswerAsync(context, 200, new TokenAnswer(token, token, null), AccountJson.Default.TokenAnswer);
    }

    private static async Task SetQuotaAsync(HttpContext context, TunnelServer server, string id)
    {
        if (await AccountEndpoints.ReadAsync(context, AdminJson.Default.Quota) is not { } quota) return;
        if (quota is { Tunnels: < 0 } or { Sessions: < 0 } or { Streams: < 0 } or { RequestsPerSecond: < 0 or > Quota.RequestsPerSecondMax })
        {
            await ProblemAsync(context, 400, $"a quota is not negative, and has at most {Quota.RequestsPerSecondMax} requests a second");
            return;
        }
        var isDone = await server.Accounts.SetQuotaAsync(id, quota, context.RequestAborted);
        if (isDone) server.Usages.Change(id, quota);
        await DoneAsync(context, isDone, "there is no such account");
    }
}
