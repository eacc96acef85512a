using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Server.Accounts;
using Mooring.Tunnel.Server.Names;
using Mooring.Tunnel.Server.Sessions;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>
/// Visitors' HTTP requests, straight from Kestrel without the layers of a web application: each request is routed by its host, judged, and
/// handed to the session that has the tunnel.
/// </summary>
internal sealed partial class IngressApplication(
    TunnelServerOptions options, TunnelDirectory directory, TakedownList takedowns, VisitorRules rules, TunnelMetrics metrics, AccessLog accessLog, RecentRequests recent, TimeProvider time,
    ILogger logger)
    : IHttpApplication<IngressRequest>
{
    private long _failed;

    public IngressRequest CreateContext(IFeatureCollection contextFeatures)
    {
        if (contextFeatures is not IHostContextContainer<IngressRequest> container)
        {
            var alone = NewRequest();
            alone.Use(contextFeatures);
            return alone;
        }
        var request = container.HostContext ??= NewRequest();
        request.Use(contextFeatures);
        return request;
    }

    private IngressRequest NewRequest() => new() { AbuseContact = options.AbuseContact };

    public void DisposeContext(IngressRequest context, Exception? exception)
    {
    }

    public async Task ProcessRequestAsync(IngressRequest context)
    {
        context.Started = time.GetTimestamp();
        TunnelBinding? binding = null;
        using var span = IngressTracing.Begin(context);
        context.Trace = span.Context;
        try
        {
            context.IsTrusted = rules.IsTrusted(context.RemoteAddress);
            context.RequestId = RequestIdOf(context);
            binding = await RouteAsync(context);
            if (binding is not null) await ServeAsync(context, binding);
        }
        catch (Exception exception) when (exception is not BadHttpRequestException)
        {
            var count = Interlocked.Increment(ref _failed);
            if (long.IsPow2(count)) LogFailed(logger, context.RequestId, count, exception);
            if (context.Response.HasStarted) context.Abort();
            else await ErrorPages.WriteAsync(context, 502, "the request could not be carried");
        }
        var duration = time.GetElapsedTime(context.Started);
        metrics.Finished(duration, context.BytesIn, context.BytesOut);
        IngressTracing.Describe(span, context, binding?.Name);
        if (binding is not null) recent.Add(context, binding, duration);
        if (accessLog.IsOn) accessLog.Write(context, binding, duration);
    }

    private async Task ServeAsync(IngressRequest request, TunnelBinding binding)
    {
        binding.CountRequest();
        var mode = request.IsWebSocket ? "ws" : "http";
        metrics.Opened(mode);
        try
        {
            await binding.Session.ServeAsync(request, binding);
        }
        finally
        {
            metrics.Closed(mode);
        }
    }

    /// <summary>The tunnel for a request; null when it was answered here.</summary>
    private async ValueTask<TunnelBinding?> RouteAsync(IngressRequest request)
    {
        if (!request.TryGetHost(out var host)) return await RefuseAsync(request, 400, "the request needs exactly one Host");
        // Kestrel takes the length away when a transfer coding is there too and notes it under this name; who sends both wants to smuggle.
        if (request.Request.Headers.TransferEncoding.Count > 0 && request.Request.Headers.ContainsKey("X-Content-Length"))
            return await RefuseAsync(request, 400, "the request has both a length and a transfer coding");
        if (!rules.IsAllowed(request.RemoteAddress)) return await RefuseAsync(request, 403, "this address may not come in");
        if (!directory.TryFind(host, out var binding) || binding.Port > 0)
        {
            return takedowns.Find(directory.NameOf(host)) is { } taken
                ? await RefuseAsync(request, 410, $"this address was taken down by the operator: {taken.Reason}")
                : await RefuseAsync(request, 404, $"there is no tunnel for {host}; it may have been closed a moment ago");
        }
        if (request.Request.Headers.Via.Count > 0 && request.Request.Headers.Via.ToString().Contains(ForwardedRequest.Pseudonym, StringComparison.Ordinal))
            return await RefuseAsync(request, 508, "the request went through a tunnel already");
        if (request.Request.Method == "CONNECT" && request.ExtendedConnect is null) return await RefuseAsync(request, 400, "CONNECT is not served here");
        if (options.WarnsVisitors && !binding.Account.Scopes.HasFlag(TokenScopes.Admin) && VisitorWarning.IsDue(request))
        {
            metrics.Rejected("warned");
            await VisitorWarning.WriteAsync(request, options.BaseDomain);
            return null;
        }
        if (binding.Auth is { } auth && !Client.Streams.BasicCredentials.Match(request.Request.Headers.Authorization.ToString(), auth))
        {
            metrics.Rejected("401");
            await ErrorPages.WriteAsync(request, 401, "a user name and a password are needed", challenge: "Basic realm=\"retunnel\"");
            return null;
        }
        if (!binding.Session.Usage.Requests.TryTake())
            return await RefuseAsync(request, 429, "too many requests for this account; it may have more in a moment", retryAfter: 1);
        if (binding.Session.Usage.IsOverDay)
            return await RefuseAsync(request, 429, AccountUsage.DayIsOver, binding.Session.Usage.SecondsLeftOfDay);
        if (binding.Session.IsDraining && binding.Session.Link.Ended.IsCancellationRequested) return await RefuseAsync(request, 503, "the server is about to stop", 5);
        return binding;
    }

    private async ValueTask<TunnelBinding?> RefuseAsync(IngressRequest request, int status, string reason, int? retryAfter = null)
    {
        metrics.Rejected(status.ToString(System.Globalization.CultureInfo.InvariantCulture));
        await ErrorPages.WriteAsync(request, status, reason, retryAfter);
        return null;
    }

    private static string RequestIdOf(IngressRequest request)
    {
        if (request.IsTrusted && request.Header("X-Request-ID") is { Count: 1 } values && values.ToString() is { Length: > 0 and <= 64 } given
            && given.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0)
        {
            return given;
        }
        // Not secret, only not to be met twice.
        return string.Create(20, 0, static (text, _) =>
        {
            "req-".CopyTo(text);
            Random.Shared.GetItems<char>(Identifier.Alphabet, text[4..]);
        });
    }

    [LoggerMessage(6010, LogLevel.Error, "request {RequestId} failed ({Count} so far)")]
    private static partial void LogFailed(ILogger logger, string requestId, long count, Exception exception);
}
