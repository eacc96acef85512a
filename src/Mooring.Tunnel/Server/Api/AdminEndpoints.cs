using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Server.Accounts;
using Mooring.Tunnel.Server.Sessions;

using static Mooring.Tunnel.Server.Api.AdminAnswers;

namespace Mooring.Tunnel.Server.Api;

/// <summary>What operators see of the server and do with it.</summary>
internal static class AdminEndpoints
{
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
        admin.MapGet("/ports/{id:int}", (HttpContext context, int id) => PortAsync(context, server, id));
        admin.MapGet("/nodes", (HttpContext context) => NodesAsync(context, server));
        admin.MapGet("/nodes/{id}", (HttpContext context, string id) => NodeAsync(context, server, id));
        admin.MapGet("/events", (HttpContext context) => new AdminEventStream(server, context).RunAsync());
        AdminAccounts.Map(admin, server);
        AdminNames.Map(admin, server);
        admin.MapPost("/reload", (HttpContext context) => ReloadAsync(context, server));
        admin.MapGet("/sessions", (HttpContext context) => SessionsAsync(context, server));
        admin.MapDelete("/sessions/{id}", (HttpContext context, string id) => KickAsync(context, server, id));
        admin.MapGet("/tunnels", (HttpContext context) => TunnelsAsync(context, server));
        admin.MapDelete("/tunnels/{id}", (HttpContext context, string id) =>
            server.Directory.TryGet(id, out var binding) ? KickAsync(context, server, binding.Session.Id) : ProblemAsync(context, 404, "there is no such tunnel"));
        admin.MapGet("/hostnames", (HttpContext context) => HostnamesAsync(context, server));
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

    private static string Version => typeof(TunnelServer).Assembly.GetName().Version?.ToString(3) ?? "";

    // The whole server is one node.
    private static NodeView NodeOf(TunnelServer server) => new(
        Environment.MachineName, Version, server.Started, server.IsReady, server.IsDraining, server.Sessions.Count, server.Directory.Count);

    private static Task NodesAsync(HttpContext context, TunnelServer server) => PageAsync(context, [NodeOf(server)], node => node.Id, AdminJson.Default.PageNodeView);

    private static Task NodeAsync(HttpContext context, TunnelServer server, string id) => FoundAsync(
        context, id == Environment.MachineName ? NodeOf(server) : null, "there is no such node", AdminJson.Default.NodeView);

    private static async Task PortAsync(HttpContext context, TunnelServer server, int port) => await FoundAsync(
        context, (await server.Names.ListPortsAsync(context.RequestAborted)).Find(lease => lease.Port == port), "nobody has this port", AdminJson.Default.PortLease);

    private static Task VersionAsync(HttpContext context, TunnelServer server) => AnswerAsync(
        context, new VersionView(Version, server.IsDraining, server.Sessions.Count, server.Directory.Count),
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

    private static async Task HostnamesAsync(HttpContext context, TunnelServer server) => await PageAsync(
        context, await server.Hostnames.ListAsync("", context.RequestAborted), own => own.Hostname, AdminJson.Default.PageOwnHostname);

    // On loopback the machine's own users are operators; from elsewhere a token of scope admin is needed.
    private static async ValueTask<object?> FilterAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next, TunnelServer server)
    {
        var http = context.HttpContext;
        // Whoever serves this listener has asked who it is, and whether they may.
        if (http.User.Identity is { IsAuthenticated: true }) return await next(context);
        if (http.Connection.LocalIpAddress is { } local && System.Net.IPAddress.IsLoopback(local) && !http.Request.Headers.ContainsKey("Origin")) return await next(context);
        return await AccountEndpoints.AccountOfAsync(http, server, TokenScopes.Admin) is null ? Results.Empty : await next(context);
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
}
