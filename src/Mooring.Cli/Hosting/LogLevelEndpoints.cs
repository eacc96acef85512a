using System.Text.Json;
using System.Text.Json.Serialization;
using Mooring.Cli.Access;

namespace Mooring.Cli.Hosting;

/// <summary><c>/api/log-level</c>: what is logged, changed while the program runs.</summary>
internal static partial class LogLevelEndpoints
{
    private const int CategoryMax = 200;

    internal static void MapLogLevel(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/log-level").WithTags("operations");
        group.Describe("GET", "", AnswerAsync, "The least level that is logged, and those of single categories.");
        group.Describe("PUT", "", SetAsync, "Changes the level, or that of the categories whose names begin with 'category'; without a level the category has none of its own any more.");
    }

    private static Task AnswerAsync(HttpContext context)
    {
        var running = context.RequestServices.GetRequiredService<RunningLogLevel>();
        var view = new LogLevelView(running.Level.ToString(), running.Categories.ToDictionary(pair => pair.Key, pair => pair.Value.ToString(), StringComparer.Ordinal));
        return context.Response.WriteAsJsonAsync(view, LogLevelJson.Default.LogLevelView, cancellationToken: context.RequestAborted);
    }

    private static async Task SetAsync(HttpContext context)
    {
        LogLevelRequest? request;
        try
        {
            request = await context.Request.ReadFromJsonAsync(LogLevelJson.Default.LogLevelRequest, context.RequestAborted);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            request = null;
        }
        LogLevel? level = null;
        if (Enum.TryParse<LogLevel>(request?.Level, ignoreCase: true, out var parsed) && Enum.GetNames<LogLevel>().Contains(request.Level, StringComparer.OrdinalIgnoreCase)) level = parsed;
        var running = context.RequestServices.GetRequiredService<RunningLogLevel>();
        var problem = request is null ? "the body must be {\"level\": LEVEL} or {\"category\": NAME, \"level\": LEVEL}"
            : level is null && (request.Level is not null || request.Category is null) ? $"level: '{request.Level}' is not allowed: use {string.Join(", ", Enum.GetNames<LogLevel>())}"
            : request.Category is { Length: 0 or > CategoryMax } ? $"category: use 1 to {CategoryMax} characters, the beginning of names such as Mooring.Fleet"
            : request.Category is { } category && !running.TrySet(category, level) ? $"at most {RunningLogLevel.CategoriesMax} categories may have a level of their own"
            : null;
        if (problem is not null)
        {
            await AccessAnswer.ProblemAsync(context, StatusCodes.Status400BadRequest, problem);
            return;
        }
        if (request!.Category is null) running.Level = level!.Value;
        var who = context.Features.Get<OperatorIdentity>()?.Name ?? "?";
        LogChanged(context.RequestServices.GetRequiredService<ILogger<RunningLogLevel>>(), who, request.Category ?? "everything", level?.ToString() ?? "that of everything");
        await AnswerAsync(context);
    }

    [LoggerMessage(9660, LogLevel.Warning, "{Who} set the log level of {Category} to {Level}")]
    private static partial void LogChanged(ILogger logger, string who, string category, string level);
}

internal sealed record LogLevelRequest(string? Category, string? Level);

internal sealed record LogLevelView(string Level, Dictionary<string, string> Categories);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(LogLevelRequest))]
[JsonSerializable(typeof(LogLevelView))]
internal sealed partial class LogLevelJson : JsonSerializerContext;
