using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Server.Accounts;
using static Mooring.Tunnel.Server.Api.AdminAnswers;

namespace Mooring.Tunnel.Server.Api;

/// <summary>Accounts, their tokens and quotas, as operators see and change them.</summary>
internal static class AdminAccounts
{
    public static void Map(IEndpointRouteBuilder admin, TunnelServer server)
    {
        admin.MapGet("/accounts", (HttpContext context) => AccountsAsync(context, server));
        admin.MapPost("/accounts", (HttpContext context) => AddAccountAsync(context, server));
        admin.MapGet("/accounts/{id}", (HttpContext context, string id) => AccountAsync(context, server, id));
        admin.MapPut("/accounts/{id}/disabled", (HttpContext context, string id) => SetDisabledAsync(context, server, id, isDisabled: true));
        admin.MapDelete("/accounts/{id}/disabled", (HttpContext context, string id) => SetDisabledAsync(context, server, id, isDisabled: false));
        admin.MapPost("/accounts/{id}/tokens", (HttpContext context, string id) => AddTokenAsync(context, server, id));
        admin.MapDelete("/accounts/{id}/tokens/{token}", async (HttpContext context, string id, string token) => await DoneAsync(
            context, await server.Accounts.RevokeAsync(id, token, context.RequestAborted), "there is no such token"));
        admin.MapPut("/accounts/{id}/quota", (HttpContext context, string id) => SetQuotaAsync(context, server, id));
    }

    private static async Task AccountsAsync(HttpContext context, TunnelServer server) => await AnswerPageAsync(
        context, await server.Accounts.ListAsync(After(context), Count(context), context.RequestAborted), account => account.Id, AdminJson.Default.PageAccountSummary);

    private static async Task AccountAsync(HttpContext context, TunnelServer server, string id) => await FoundAsync(
        context, await ViewAsync(context, server, id), "there is no such account", AdminJson.Default.AccountView);

    private static async Task<AccountView?> ViewAsync(HttpContext context, TunnelServer server, string id) =>
        await server.Accounts.FindAsync(id, context.RequestAborted) is { } account
            ? new AccountView(account.Id, account.Email, account.Created, account.IsDisabled, account.Quota, account.Tokens)
            : null;

    // Its tokens stop working, and what is connected with them ends now.
    private static async Task SetDisabledAsync(HttpContext context, TunnelServer server, string id, bool isDisabled)
    {
        if (!await IsUnchangedAsync(context, await ViewAsync(context, server, id), AdminJson.Default.AccountView)) return;
        var isDone = await server.Accounts.SetDisabledAsync(id, isDisabled, context.RequestAborted);
        if (isDone && isDisabled)
            await Task.WhenAll(server.Sessions.All.Where(session => session.Account.Id == id).Select(session => session.CloseAsync(CloseCodes.Kicked, "the account was closed")));
        await DoneAsync(context, isDone, "there is no such account");
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
        if (quota is { Tunnels: < 0 } or { Sessions: < 0 } or { Streams: < 0 } or { RequestsPerSecond: < 0 or > Quota.RequestsPerSecondMax } or { BytesPerDay: < 0 })
        {
            await ProblemAsync(context, 400, $"a quota is not negative, and has at most {Quota.RequestsPerSecondMax} requests a second");
            return;
        }
        if (!await IsUnchangedAsync(context, await ViewAsync(context, server, id), AdminJson.Default.AccountView)) return;
        var isDone = await server.Accounts.SetQuotaAsync(id, quota, context.RequestAborted);
        if (isDone) server.Usages.Change(id, quota);
        await DoneAsync(context, isDone, "there is no such account");
    }
}
