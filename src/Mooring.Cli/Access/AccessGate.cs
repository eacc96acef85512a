using System.Data.Common;
using System.Net;
using Microsoft.Net.Http.Headers;
using Mooring.Storage;

namespace Mooring.Cli.Access;

/// <summary>
/// Stands before everything on the operators' listener: where does the request come from, who sends it, may they. What it finds out it leaves
/// in <see cref="HttpContext.User"/>, where the roles of the process read it; what may change something it notes in the audit log.
/// </summary>
internal sealed partial class AccessGate(AccessOptions options, AccessStore store, AuditLog audit, LoginThrottle throttle, TimeProvider time, ILogger<AccessGate> logger)
{
    internal const string SessionCookie = "mooring-session";

    private const string Bearer = "Bearer ";
    private const string HubTokenPrefix = "mhub_";
    private const string TunnelClientsPath = "/api/v1";

    private readonly ILogger _logger = logger;
    private readonly RequestOrigin _origin = new(options.Names, options.IsLoopback);

    internal async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<OperatorConnection>() is null)
        {
            await OtherListenerAsync(context, next);
            return;
        }
        Harden(context);
        if (ProblemOfOrigin(context) is { } problem)
        {
            LogRefused(context.Connection.RemoteIpAddress, context.Request.Path.Value ?? "", problem);
            await AccessAnswer.ProblemAsync(context, StatusCodes.Status403Forbidden, problem);
            return;
        }
        await AdmitAsync(context, next);
    }

    private async Task AdmitAsync(HttpContext context, RequestDelegate next)
    {
        var (method, path) = (context.Request.Method, context.Request.Path.Value ?? "/");
        var rule = AccessPolicy.Of(method, path);
        var caller = await IdentifyAsync(context, context.RequestAborted);
        if (caller is not null) context.User = caller.ToPrincipal();
        // The hub knows its own tokens, and notes what they did.
        if (rule == AccessRule.Open || (caller is null && HasHubToken(context) && AccessPolicy.IsHubPath(path)))
        {
            await next(context);
            return;
        }
        var begun = time.GetTimestamp();
        if (caller is null) await AskAsync(context);
        else if ((int)caller.Role < rule - AccessRule.Viewer)
            await AccessAnswer.ProblemAsync(context, StatusCodes.Status403Forbidden, $"the role {rule.ToString().ToLowerInvariant()} is needed, and '{caller.Name}' has {caller.RoleName}");
        else
        {
            context.Features.Set(caller);
            await PassAsync(context, next, caller, begun);
            return;
        }
        if (AccessPolicy.IsAudited(method, path)) await NoteAsync(context, caller, $"{context.Response.StatusCode}", begun);
    }

    private async Task PassAsync(HttpContext context, RequestDelegate next, OperatorIdentity caller, long begun)
    {
        var isAudited = AccessPolicy.IsAudited(context.Request.Method, context.Request.Path.Value ?? "/");
        var outcome = "failed";
        using var ended = new CancellationTokenSource();
        var watching = caller == OperatorIdentity.Local ? Task.CompletedTask : WatchAsync(context, ended.Token);
        try
        {
            await next(context);
            outcome = $"{context.Response.StatusCode}";
        }
        finally
        {
            await ended.CancelAsync();
            await watching;
            if (isAudited) await NoteAsync(context, caller, outcome, begun);
        }
    }

    /// <summary>A stream of events lasts as long as its session or token does, and keeps a session in use.</summary>
    private async Task WatchAsync(HttpContext context, CancellationToken ended)
    {
        using var timer = new PeriodicTimer(options.Limits.UseNoted, time);
        try
        {
            while (await timer.WaitForNextTickAsync(ended))
            {
                if (await IdentifyAsync(context, ended) is not null) continue;
                context.Abort();
                return;
            }
        }
        catch (OperationCanceledException)
        {
            // The request has ended by itself.
        }
        catch (Exception exception) when (exception is StorageException or DbException)
        {
            LogNotWatched(exception.Message);
        }
    }

    private ValueTask NoteAsync(HttpContext context, OperatorIdentity? caller, string outcome, long begun) => audit.NoteAsync(
        caller?.Name ?? "?", caller?.RoleName ?? "", context.Connection.RemoteIpAddress?.ToString() ?? "", $"{context.Request.Method} {context.Request.Path}", outcome,
        time.GetElapsedTime(begun));

    /// <summary>Agents and tunnel clients have listeners of their own, which serve nothing of what operators see.</summary>
    private static Task OtherListenerAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint() is null || context.Request.Path.StartsWithSegments(TunnelClientsPath, StringComparison.OrdinalIgnoreCase)) return next(context);
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    private static void Harden(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        // Not "no-referrer": with that a browser hides the origin of our own forms too.
        headers["Referrer-Policy"] = "same-origin";
        if (!AccessPolicy.IsRuntimePath(context.Request.Path.Value ?? "")) return;
        context.Response.OnStarting(() =>
        {
            headers.ContentSecurityPolicy = "sandbox";
            return Task.CompletedTask;
        });
    }

    private string? ProblemOfOrigin(HttpContext context) => _origin.Problem(context.Request)
        ?? (NeedsOrigin(context) ? "a request with a session needs the field Origin, as browsers send it; scripts use a token" : null);

    /// <summary>SameSite keeps the cookie from other sites' requests; what browsers do not prove to be their own is refused all the same.</summary>
    private static bool NeedsOrigin(HttpContext context) =>
        AccessPolicy.IsAudited(context.Request.Method, context.Request.Path.Value ?? "") && !HttpMethods.IsGet(context.Request.Method)
        && context.Request.Cookies.ContainsKey(SessionCookie)
        && !context.Request.Headers.ContainsKey(HeaderNames.Authorization)
        && context.Request.Headers.Origin.Count == 0 && context.Request.Headers["Sec-Fetch-Site"].Count == 0;

    private async Task<OperatorIdentity?> IdentifyAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var authorization = context.Request.Headers.Authorization.ToString();
        if (authorization.StartsWith(Bearer + AccessSecret.TokenPrefix, StringComparison.OrdinalIgnoreCase))
        {
            var address = context.Connection.RemoteIpAddress;
            if (throttle.Wait(address, null) is not null) return null;
            var found = await store.ByTokenAsync(authorization[Bearer.Length..].Trim(), cancellationToken);
            if (found is null) throttle.Failed(address, null);
            return found;
        }
        if (context.Request.Cookies[SessionCookie] is { Length: > 0 } secret
            && await store.BySessionAsync(secret, cancellationToken) is { } inSession) return inSession;
        return options.IsOpen && !HasHubToken(context) && !IsForwarded(context) ? OperatorIdentity.Local : null;
    }

    private static bool HasHubToken(HttpContext context) =>
        context.Request.Headers.Authorization.ToString().StartsWith(Bearer + HubTokenPrefix, StringComparison.OrdinalIgnoreCase);

    /// <summary>Through a proxy everybody seems to be on this machine.</summary>
    private static bool IsForwarded(HttpContext context)
    {
        var (headers, remote) = (context.Request.Headers, context.Connection.RemoteIpAddress);
        return headers.ContainsKey("X-Forwarded-For") || headers.ContainsKey("Forwarded") || (remote is not null && !IPAddress.IsLoopback(remote));
    }

    private Task AskAsync(HttpContext context)
    {
        var request = context.Request;
        if (throttle.Wait(context.Connection.RemoteIpAddress, null) is { } wait) return AccessAnswer.TooManyAsync(context, wait);
        var isPage = HttpMethods.IsGet(request.Method) && request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);
        if (isPage)
        {
            context.Response.Redirect("/login?next=" + Uri.EscapeDataString(request.Path + request.QueryString));
            return Task.CompletedTask;
        }
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return AccessAnswer.ProblemAsync(context, StatusCodes.Status401Unauthorized, "log in at /login, or send Authorization: Bearer TOKEN");
    }

    [LoggerMessage(9303, LogLevel.Warning, "it is not known whether a session goes on: {Why}")]
    private partial void LogNotWatched(string why);

    [LoggerMessage(9302, LogLevel.Warning, "a request of {Address} for {Path} is refused: {Why}")]
    private partial void LogRefused(IPAddress? address, string path, string why);
}

/// <summary>Stands on connections of the operators' listener.</summary>
internal sealed class OperatorConnection
{
    internal static readonly OperatorConnection Mark = new();
}
