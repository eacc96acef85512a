using System.Globalization;

namespace Mooring.Cli.Access;

/// <summary>Refusals, as problem+json (RFC 9457).</summary>
internal static class AccessAnswer
{
    internal static Task ProblemAsync(HttpContext context, int status, string what) => TypedResults.Problem(what, statusCode: status).ExecuteAsync(context);

    internal static Task TooManyAsync(HttpContext context, TimeSpan wait)
    {
        context.Response.Headers.RetryAfter = Math.Max((long)Math.Ceiling(wait.TotalSeconds), 1).ToString(CultureInfo.InvariantCulture);
        return ProblemAsync(context, StatusCodes.Status429TooManyRequests, "too many failed attempts; try again later");
    }
}
