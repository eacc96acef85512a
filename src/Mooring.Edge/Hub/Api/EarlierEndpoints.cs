using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Mooring.Edge.Hub.Enrolment;

namespace Mooring.Edge.Hub.Api;

/// <summary><c>/agent</c>: the three calls of the first hubs, for programs that know nothing else.</summary>
internal static class EarlierEndpoints
{
    public static void Map(RouteGroupBuilder group)
    {
        group.MapPost("/certificate", Certificate).For(HubRole.Admin)
            .WithSummary("Takes an agent's own certificate as the one that it may show. Its common name must be the agent's id.");
        group.MapPost("/heartbeat", Heartbeat).For(HubRole.Viewer).WithSummary("The last heartbeat of an agent.");
        group.MapPost("/command", Command).For(HubRole.Admin).TakesUpTo(DeviceEndpoints.CommandBytesMax).WithSummary("Calls any topic of an agent.");
    }

    private static async Task<IResult> Certificate(HttpContext http, EdgeHub hub, EarlierCertificate request)
    {
        if (request is not { AgentId: { } agent, Certificate: { } pem } || !AgentId.IsGood(agent))
            return HubCall.Problem(400, $"agent_id and certificate must be given; for the id {AgentId.Rule}");
        if (http.Features.Get<HubCaller>()?.MaySee(agent) != true) return HubCall.Problem(403, "this token is not for that agent");
        X509Certificate2 certificate;
        try
        {
            certificate = X509Certificate2.CreateFromPem(pem);
        }
        catch (CryptographicException)
        {
            return HubCall.Problem(400, "certificate: not a certificate in PEM");
        }
        using (certificate)
        {
            if (AgentAuthority.CommonNameOf(certificate.SubjectName) != agent)
                return HubCall.Problem(400, "certificate: its common name is not the agent's id");
            var begun = http.RequestServices.Clock().GetTimestamp();
            hub.Running.Registry.Note(await hub.Running.Enrolments.SaveAsync(agent, null, certificate, isClaimed: true, isPinned: true, http.RequestAborted));
            await HubCall.NoteAsync(http, hub, agent, null, "pin certificate", null, "done", begun);
        }
        return TypedResults.Json(new JsonObject { ["message"] = "certificate stored" }, HubJson.Default.JsonObject);
    }

    private static IResult Heartbeat(HttpContext http, EdgeHub hub, EarlierQuestion question)
    {
        if (question.AgentId is not { } agent || http.Features.Get<HubCaller>()?.MaySee(agent) != true
            || hub.Running.Registry.Find(agent)?.LastBeat is not { } beat)
            return HubCall.Problem(404, $"no heartbeat of agent '{question.AgentId}' is known");
        var reader = new Utf8JsonReader(beat.Json);
        return TypedResults.Json(JsonElement.ParseValue(ref reader), HubJson.Default.JsonElement);
    }

    private static async Task<IResult> Command(HttpContext http, EdgeHub hub, EarlierCommand request)
    {
        if (request is not { AgentId: { } agent, Topic: { Length: > 0 } topic }) return HubCall.Problem(400, "agent_id and topic must be given");
        if (http.Features.Get<HubCaller>()?.MaySee(agent) != true) return HubCall.Problem(403, "this token is not for that agent");
        var message = request.Command is { ValueKind: JsonValueKind.Object } command ? JsonObject.Create(command) : null;
        var outcome = await HubCall.DoAsync(http, hub, agent, null, topic, message, DeviceEndpoints.CommandTimeout(hub, message ?? []));
        // What the agent says is the answer here, an error of its own included.
        return outcome.Answer.ValueKind == JsonValueKind.Object
            ? TypedResults.Json(new EarlierAnswer(outcome.Answer), HubJson.Default.EarlierAnswer)
            : new AgentResult(outcome);
    }
}
