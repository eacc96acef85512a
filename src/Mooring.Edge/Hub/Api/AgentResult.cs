using Microsoft.AspNetCore.Http;
using Mooring.Edge.Hub.Agents;

namespace Mooring.Edge.Hub.Api;

/// <summary>An agent's answer as the answer to an operator: as it came when it went well, a problem otherwise.</summary>
internal sealed class AgentResult(CallOutcome outcome) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        if (outcome.Error is { } error) return ProblemOf(outcome, error).ExecuteAsync(httpContext);
        httpContext.Response.StatusCode = outcome.Status;
        return httpContext.Response.WriteAsJsonAsync(outcome.Answer, HubJson.Default.JsonElement, cancellationToken: httpContext.RequestAborted);
    }

    private static IResult ProblemOf(CallOutcome outcome, string error)
    {
        var more = new Dictionary<string, object?>();
        if (outcome.Text("error_code") is { } code) more["errorCode"] = code;
        if (outcome.Text("field") is { } field) more["field"] = field;
        return TypedResults.Problem(error, statusCode: outcome.Status, extensions: more);
    }
}
