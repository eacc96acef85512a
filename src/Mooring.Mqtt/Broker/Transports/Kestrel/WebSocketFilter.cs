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
        if (context.Request.Path == bound.Listener.Path)
            return WebSocketConnection.ServeAsync(context, bound.Handler, bound.Time);
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }
}
