using System.Diagnostics;
using Microsoft.AspNetCore.Http.Features;

namespace Mooring.Cli.Telemetry;

/// <summary>
/// Names spans of HTTP requests by method and route, as the semantic conventions ask for; the framework gives all of them one name.
/// </summary>
internal sealed class RequestNames : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => application =>
    {
        application.Use(NameAsync);
        next(application);
    };

    private static async Task NameAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        finally
        {
            if (context.Features.Get<IHttpActivityFeature>()?.Activity is { IsAllDataRequested: true } activity) Name(activity, context);
        }
    }

    private static void Name(Activity activity, HttpContext context)
    {
        var route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
        activity.DisplayName = route is null ? context.Request.Method : $"{context.Request.Method} {route}";
        if (route is not null) activity.SetTag("http.route", route);
    }
}
