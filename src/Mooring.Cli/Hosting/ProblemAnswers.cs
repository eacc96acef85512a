using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.Metadata;

namespace Mooring.Cli.Hosting;

/// <summary>
/// Answers as problem+json (RFC 9457) where the framework would refuse a request without a word: bodies and parameters that cannot be read,
/// paths that are nothing's, methods that do not fit.
/// </summary>
internal static partial class ProblemAnswers
{
    /// <summary>Has bodies and parameters that cannot be read come to <see cref="UseProblemAnswers"/>.</summary>
    internal static void AddProblemAnswers(this IServiceCollection services) =>
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);

    /// <summary>Goes before everything that answers.</summary>
    internal static void UseProblemAnswers(this WebApplication application) => application.Use(static async (context, next) =>
    {
        try
        {
            await next(context);
        }
        catch (BadHttpRequestException exception) when (!context.Response.HasStarted)
        {
            await ProblemAsync(context, exception.StatusCode, Explain(exception));
            return;
        }
        var response = context.Response;
        if (response.StatusCode < 400 || response.HasStarted || response.ContentType is not null || response.ContentLength > 0) return;
        await ProblemAsync(context, response.StatusCode, response.StatusCode switch
        {
            400 => Unreadable(context),
            404 => $"there is nothing at '{context.Request.Path}'",
            405 => $"{context.Request.Method} is not possible here (allowed: {response.Headers.Allow})",
            415 => $"the body must be application/json, not '{context.Request.ContentType}'",
            _ => null,
        });
    });

    /// <summary>The framework's words name types and parameters of the program; a user knows only the request.</summary>
    internal static string Explain(BadHttpRequestException exception)
    {
        if (exception.InnerException is JsonException json) return Explain(json);
        if (MissingParameter.Match(exception.Message) is { Success: true } missing) return $"{missing.Groups["name"].Value} is needed";
        return exception.Message.StartsWith("Implicit body", StringComparison.Ordinal) ? "a JSON body is needed" : exception.Message;
    }

    private static string Explain(JsonException exception)
    {
        var place = exception.Path is null or "$" ? "" : $" at {exception.Path}";
        var position = exception.LineNumber is { } line ? $" (line {line + 1}, byte {exception.BytePositionInLine + 1})" : "";
        return $"the body is not the JSON that is expected here{place}{position}";
    }

    // The code that the compiler makes for an endpoint does not say which value it could not read: those that it had to read are named.
    private static string? Unreadable(HttpContext context)
    {
        var read = context.GetEndpoint()?.Metadata.GetOrderedMetadata<IParameterBindingMetadata>() ?? [];
        var given = read.Where(parameter => parameter.HasTryParse)
            .Select(parameter => (parameter.Name, Value: context.Request.RouteValues[parameter.Name] as string ?? (string?)context.Request.Query[parameter.Name]))
            .Where(parameter => !string.IsNullOrEmpty(parameter.Value)).Select(parameter => $"{parameter.Name}: '{parameter.Value}'").ToList();
        return given.Count == 0 ? null : $"{string.Join(", ", given)} {(given.Count == 1 ? "is" : "are")} not what is expected here";
    }

    private static Task ProblemAsync(HttpContext context, int status, string? what) => TypedResults.Problem(what, statusCode: status).ExecuteAsync(context);

    [GeneratedRegex("""^Required parameter ".* (?<name>\w+)" was not provided""")]
    private static partial Regex MissingParameter { get; }
}
