using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Server.Names;

namespace Mooring.Tunnel.Server.Api;

/// <summary>The REST API of host names that accounts bring.</summary>
internal static class HostnameEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, TunnelServer server)
    {
        routes.MapPost("/api/v1/hostnames", (HttpContext context) => AddAsync(context, server));
        routes.MapGet("/api/v1/hostnames", (HttpContext context) => ListAsync(context, server));
        routes.MapPost("/api/v1/hostnames/{hostname}/verify", (HttpContext context, string hostname) => VerifyAsync(context, server, hostname));
        routes.MapDelete("/api/v1/hostnames/{hostname}", (HttpContext context, string hostname) => RemoveAsync(context, server, hostname));
    }

    private static HostnameState StateOf(OwnHostname own, TunnelServer server)
    {
        var hasCertificate = server.Options.HttpsTls is not null;
        return new HostnameState(
            own.Hostname, own.IsVerified, hasCertificate, own.IsVerified, hasCertificate ? "issued" : "not_requested", 0, null, null,
            new DnsRecords(
                new DnsRecord(own.Hostname, server.Options.BaseDomain), new DnsRecord($"_retunnel-challenge.{own.Hostname}", own.Challenge)));
    }

    private static async Task AddAsync(HttpContext context, TunnelServer server)
    {
        if (await AccountEndpoints.AccountOfAsync(context, server) is not { } account) return;
        if (await AccountEndpoints.ReadAsync(context, AccountJson.Default.HostnameRequest) is not { } request) return;
        if (!NameRules.TryHostname(request.Hostname ?? "", out var hostname))
        {
            await AccountEndpoints.ErrorAsync(context, 400, "no host name: at least two labels of a-z, 0-9 and -, no port, no address");
            return;
        }
        if (hostname == server.Options.BaseDomain || hostname.EndsWith("." + server.Options.BaseDomain, StringComparison.Ordinal))
        {
            await AccountEndpoints.ErrorAsync(context, 400, $"names under {server.Options.BaseDomain} are tunnels' own");
            return;
        }
        if (await server.Hostnames.AddAsync(hostname, account.Id, context.RequestAborted) is not { } own)
        {
            await AccountEndpoints.ErrorAsync(context, 409, "another account has this host name");
            return;
        }
        await AccountEndpoints.AnswerAsync(context, 200, StateOf(own, server), AccountJson.Default.HostnameState);
    }

    private static async Task ListAsync(HttpContext context, TunnelServer server)
    {
        if (await AccountEndpoints.AccountOfAsync(context, server) is not { } account) return;
        var all = await server.Hostnames.ListAsync(account.Id, context.RequestAborted);
        await AccountEndpoints.AnswerAsync(context, 200, new HostnameList([.. all.Select(own => StateOf(own, server))]), AccountJson.Default.HostnameList);
    }

    private static async Task VerifyAsync(HttpContext context, TunnelServer server, string hostname)
    {
        if (await AccountEndpoints.AccountOfAsync(context, server) is not { } account) return;
        if (await server.Hostnames.FindAsync(hostname.ToLowerInvariant(), context.RequestAborted) is not { } own || own.Account != account.Id)
        {
            await AccountEndpoints.ErrorAsync(context, 404, "not a host name of this account");
            return;
        }
        var challenge = $"_retunnel-challenge.{own.Hostname}";
        var texts = await server.Resolver.TextsAsync(challenge, context.RequestAborted);
        var isProven = own.IsVerified || texts.Contains(own.Challenge, StringComparer.Ordinal);
        if (isProven && !own.IsVerified) await server.Hostnames.SetVerifiedAsync(own.Hostname, context.RequestAborted);
        var state = StateOf(own with { IsVerified = isProven }, server) with
        {
            VerificationError = isProven ? null : texts.Count == 0 ? $"there is no TXT record at {challenge}" : $"the TXT record at {challenge} has another value",
            DnsPointsAtRetunnel = (await server.Resolver.AliasAsync(own.Hostname, context.RequestAborted))?.Equals(server.Options.BaseDomain, StringComparison.OrdinalIgnoreCase) == true,
            DnsHint = isProven ? null : $"add a TXT record {challenge} with the value {own.Challenge}",
        };
        await AccountEndpoints.AnswerAsync(context, 200, state, AccountJson.Default.HostnameState);
    }

    private static async Task RemoveAsync(HttpContext context, TunnelServer server, string hostname)
    {
        if (await AccountEndpoints.AccountOfAsync(context, server) is not { } account) return;
        if (!await server.Hostnames.RemoveAsync(hostname.ToLowerInvariant(), account.Id, context.RequestAborted))
        {
            await AccountEndpoints.ErrorAsync(context, 404, "not a host name of this account");
            return;
        }
        // Its client comes back at once, without it.
        if (server.Directory.TryGet(hostname.ToLowerInvariant(), out var binding) && binding.Account.Id == account.Id)
            await binding.Session.CloseAsync(CloseCodes.Kicked, "the host name was removed");
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }
}
