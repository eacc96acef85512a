using System.Text.Json;
using System.Text.Json.Serialization;
using Mooring.Kernel.Metrics;

namespace Mooring.Cli.Hosting;

/// <summary><c>/health/live</c>, <c>/health/ready</c> and <c>/metrics</c>.</summary>
internal static class HealthEndpoints
{
    internal static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", context => context.Response.WriteAsync("live\n", context.RequestAborted));
        routes.MapGet("/health/ready", Ready);
        routes.MapGet("/metrics", WriteMetrics);
    }

    private static async Task Ready(HttpContext context)
    {
        var parts = context.RequestServices.GetServices<Readiness>()
            .ToDictionary(part => part.Name, part => part.Problem() ?? "ready", StringComparer.Ordinal);
        var ready = parts.Values.All(state => state == "ready");
        context.Response.StatusCode = ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "application/json";
        var answer = new ReadyAnswer(ready ? "ready" : "not ready", parts);
        await JsonSerializer.SerializeAsync(
            context.Response.Body, answer, HealthJson.Default.ReadyAnswer, context.RequestAborted);
    }

    private static Task WriteMetrics(HttpContext context)
    {
        var exporter = context.RequestServices.GetRequiredService<PrometheusExporter>();
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        exporter.WriteTo(context.Response.BodyWriter);
        return context.Response.BodyWriter.FlushAsync(context.RequestAborted).AsTask();
    }
}

internal sealed record ReadyAnswer(string Status, Dictionary<string, string> Parts);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ReadyAnswer))]
internal sealed partial class HealthJson : JsonSerializerContext;
