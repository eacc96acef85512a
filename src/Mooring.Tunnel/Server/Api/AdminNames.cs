using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Server.Names;
using static Mooring.Tunnel.Server.Api.AdminAnswers;

namespace Mooring.Tunnel.Server.Api;

/// <summary>Names of tunnels: whose they are, and which were taken down.</summary>
internal static class AdminNames
{
    public static void Map(IEndpointRouteBuilder admin, TunnelServer server)
    {
        admin.MapGet("/names", (HttpContext context) => NamesAsync(context, server));
        admin.MapGet("/names/{label}", (HttpContext context, string label) => NameAsync(context, server, label));
        admin.MapPut("/names/{label}", (HttpContext context, string label) => ReserveAsync(context, server, label));
        admin.MapGet("/takedowns", (HttpContext context) => TakedownsAsync(context, server));
        admin.MapGet("/takedowns/{name}", (HttpContext context, string name) => TakedownAsync(context, server, name));
        admin.MapPut("/takedowns/{name}", (HttpContext context, string name) => TakeDownAsync(context, server, name.ToLowerInvariant()));
        admin.MapDelete("/takedowns/{name}", async (HttpContext context, string name) => await DoneAsync(
            context, await server.Takedowns.RemoveAsync(name.ToLowerInvariant(), context.RequestAborted), "this name was not taken down"));
    }

    private static async Task NamesAsync(HttpContext context, TunnelServer server) => await AnswerPageAsync(
        context, await server.Names.ListAsync(After(context), Count(context), context.RequestAborted), name => name.Label, AdminJson.Default.PageNameReservation);

    private static async Task NameAsync(HttpContext context, TunnelServer server, string label) => await FoundAsync(
        context, await server.Names.FindAsync(label, context.RequestAborted), "nobody has this name", AdminJson.Default.NameReservation);

    private static Task TakedownsAsync(HttpContext context, TunnelServer server) => PageAsync(
        context, server.Takedowns.All, taken => taken.Name, AdminJson.Default.PageTakedown);

    private static Task TakedownAsync(HttpContext context, TunnelServer server, string name) => FoundAsync(
        context, server.Takedowns.Find(name), "this name was not taken down", AdminJson.Default.Takedown);

    // Whoever has the name loses the connection, and is refused when it comes back for it.
    private static async Task TakeDownAsync(HttpContext context, TunnelServer server, string name)
    {
        if (await AccountEndpoints.ReadAsync(context, AdminJson.Default.TakedownRequest) is not { } request) return;
        if (!NameRules.IsLabel(name) && !NameRules.TryHostname(name, out _))
        {
            await ProblemAsync(context, 400, "neither a label nor a host name");
            return;
        }
        if (request.Reason is not { Length: > 0 and <= TakedownList.ReasonMax } reason)
        {
            await ProblemAsync(context, 400, $"a reason of 1 to {TakedownList.ReasonMax} characters is needed: visitors see it");
            return;
        }
        await server.Takedowns.AddAsync(name, reason, context.RequestAborted);
        if (server.Directory.TryGet(name, out var binding)) await binding.Session.CloseAsync(CloseCodes.Kicked, $"'{name}' was taken down: {reason}");
        await DoneAsync(context, isDone: true, "");
    }

    private static async Task ReserveAsync(HttpContext context, TunnelServer server, string label)
    {
        if (await AccountEndpoints.ReadAsync(context, AdminJson.Default.NameRequest) is not { } request) return;
        if (!NameRules.IsLabel(label)) await ProblemAsync(context, 400, "no label of 3 to 63 of a-z, 0-9 and -");
        else if (await IsUnchangedAsync(context, await server.Names.FindAsync(label, context.RequestAborted), AdminJson.Default.NameReservation)) await DoneAsync(context, await server.Names.ReserveAsync(label, request.Account ?? "", context.RequestAborted), "there is no such account");
    }
}
