using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Mooring.Mqtt.Broker.Transports.Kestrel;

/// <summary>
/// On the broker's WebSocket listeners there is MQTT and nothing else: what the host serves on its other addresses is not there.
/// </summary>
internal sealed class WebSocketFilter : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => application =>
    {
        application.UseWhen(IsOurs, branch =>
        {
            branch.UseWebSockets();
            branch.Run(ServeAsync);
        });
        next(application);
    };

    private static bool IsOurs(HttpContext context) => context.Features.Get<KestrelListener>() is not null;

    private static Task ServeAsync(HttpContext context)
    {
        var bound = context.Features.Get<KestrelListener>()!;
        var isThere = context.Request.Path == bound.Listener.Path;
        if (isThere && IsOriginAllowed(context.Request, bound)) return WebSocketConnection.ServeAsync(context, bound.Handler, bound.Time);
        context.Response.StatusCode = isThere ? StatusCodes.Status403Forbidden : StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    /// <summary>Where nobody has to say who he is, a browser must not be made to speak for its user by a strange page (RFC 6455 10.2).</summary>
    private static bool IsOriginAllowed(HttpRequest request, KestrelListener bound)
    {
        var origin = request.Headers.Origin.ToString();
        if (origin.Length == 0 || !bound.LetsAnonymousIn || bound.Listener.Origins.Contains("*")) return true;
        return bound.Listener.Origins.Contains(origin, StringComparer.OrdinalIgnoreCase)
            || (Uri.TryCreate(origin, UriKind.Absolute, out var page) && page.IsLoopback);
    }
}
