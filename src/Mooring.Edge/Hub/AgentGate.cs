using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Hub.Agents;
using Mooring.Edge.Hub.Api;
using Mooring.Edge.Hub.Enrolment;
using Mooring.SocketIO;

namespace Mooring.Edge.Hub;

/// <summary>What agents reach: Socket.IO, and the two requests with which a machine asks for its certificate. Nothing else.</summary>
internal sealed partial class AgentGate(
    SocketIOServer server, AgentRegistry registry, Enrolments enrolments, AgentAuthority authority, HubOptions options, TimeProvider time,
    ILogger<AgentGate> logger)
{
    private const int RequestBytesMax = 64 * 1024;

    private readonly PendingIds _pending = new(options.Limits.PendingIdsMax, options.Limits.PendingIdsPerAddressMax, time);

    public Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        if (path.StartsWith("/socket.io", StringComparison.Ordinal)) return server.HandleAsync(context);
        if (options.AllowsSelfEnrolment && path == "/orchestrators/id" && HttpMethods.IsGet(context.Request.Method)) return GiveIdAsync(context);
        if (options.AllowsSelfEnrolment && path == "/orchestrators/enroll" && HttpMethods.IsPost(context.Request.Method)) return EnrolAsync(context);
        return AnswerAsync(context, 404, "there is nothing here: agents connect to /socket.io/");
    }

    private Task GiveIdAsync(HttpContext context)
    {
        if (_pending.Take(context.Connection.RemoteIpAddress, id => registry.Find(id) is not null) is not { } pending)
            return AnswerAsync(context, 429, "too many ids were asked for and not used; try again in five minutes");
        var answer = new PendingIdView(pending.Id, pending.ExpiresAt, (int)PendingIds.Lifetime.TotalSeconds);
        return WriteAsync(context, 200, new InstallerAnswer(200, null, HubJson.ToElement(answer, HubJson.Default.PendingIdView)));
    }

    private async Task EnrolAsync(HttpContext context)
    {
        if (await ReadRequestAsync(context) is not { } request)
        {
            await AnswerAsync(context, 400, "send a form with the field csr: a certificate request in PEM");
            return;
        }
        using var certificate = authority.Sign(request, out var id, out var why);
        if (certificate is null)
        {
            await AnswerAsync(context, 400, why);
            return;
        }
        switch (_pending.Use(id))
        {
            case null:
                await AnswerAsync(context, registry.Find(id) is null ? 404 : 409, $"the id '{id}' was not given out, or is in use");
                return;
            case false:
                await AnswerAsync(context, 410, $"the id '{id}' has expired; ask for another one");
                return;
            case true:
                break;
        }
        registry.Note(await enrolments.SaveAsync(id, null, certificate, isClaimed: false, isPinned: false, context.RequestAborted));
        LogEnrolled(id, context.Connection.RemoteIpAddress);
        var answer = new EnrolledView(certificate.ExportCertificatePem() + "\n", "certificate issued; an operator must claim the id now", id);
        await WriteAsync(context, 200, new InstallerAnswer(200, null, HubJson.ToElement(answer, HubJson.Default.EnrolledView)));
    }

    private static async Task<string?> ReadRequestAsync(HttpContext context)
    {
        if (context.Request.ContentLength is null or > RequestBytesMax || !context.Request.HasFormContentType) return null;
        try
        {
            var form = await context.Request.ReadFormAsync(context.RequestAborted);
            if (form.Files.GetFile("csr") is not { } file) return form["csr"].ToString() is { Length: > 0 } text ? text : null;
            using var reader = new StreamReader(file.OpenReadStream(), Encoding.ASCII);
            return await reader.ReadToEndAsync(context.RequestAborted);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static Task AnswerAsync(HttpContext context, int status, string message) => WriteAsync(context, status, new InstallerAnswer(status, message, null));

    private static Task WriteAsync(HttpContext context, int status, InstallerAnswer answer)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(answer, HubJson.Default.InstallerAnswer, cancellationToken: context.RequestAborted);
    }

    [LoggerMessage(7540, LogLevel.Information, "Agent {Agent} was given a certificate at its own request, from {Address}; it waits for an operator to claim it")]
    private partial void LogEnrolled(string agent, System.Net.IPAddress? address);
}
