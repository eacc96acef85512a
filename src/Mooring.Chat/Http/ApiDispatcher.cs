using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Mooring.Chat.Access;
using Mooring.Chat.Protocol;
using Mooring.Chat.Rooms;

namespace Mooring.Chat.Http;

/// <summary>Routes requests to endpoints, after the checks that are the same for all.</summary>
internal sealed partial class ApiDispatcher(ChatHub hub, ILogger logger)
{
    private const string BearerPrefix = "Bearer ";

    private readonly ILogger _logger = logger;

    internal void Map(WebApplication application, IReadOnlyList<ApiEndpoint> endpoints)
    {
        application.Use(ShapeErrorsAsync);
        application.UseRouting();
        application.UseEndpoints(static _ => { });
        foreach (var endpoint in endpoints)
            application.MapMethods(endpoint.Path, [endpoint.Method], context => DispatchAsync(endpoint, context));
    }

    /// <summary>
    /// The account of a caller, from its header or, for browsers' WebSockets and event streams, from the address; without a token from
    /// its certificate.
    /// </summary>
    internal Outcome Authenticate(HttpContext context, out ChatAccount? account)
    {
        string? token = context.Request.Headers.Authorization is [{ } header, ..] && header.StartsWith(BearerPrefix, StringComparison.OrdinalIgnoreCase)
            ? header[BearerPrefix.Length..].Trim()
            : context.Request.Query["token"];
        if (!string.IsNullOrEmpty(token)) return hub.Authenticate(token, context.Connection.RemoteIpAddress?.ToString() ?? "", out account);
        account = hub.Access.Authenticate(context.Connection.ClientCertificate);
        return Outcome.Done;
    }

    /// <summary>Operators present their token; where there is none, every caller from this machine is one.</summary>
    internal bool IsOperator(HttpContext context, ChatAccount? account) =>
        account is { IsOperator: true }
        || (!hub.Access.HasOperatorToken && context.Connection.RemoteIpAddress is { } remote && IPAddress.IsLoopback(remote));

    private async Task DispatchAsync(ApiEndpoint endpoint, HttpContext context)
    {
        try
        {
            var answer = await HandleAsync(endpoint, context).ConfigureAwait(false);
            hub.Outbox.Flush();
            await ApiWriter.WriteAsync(context, answer).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody waits for the answer any more.
        }
        catch (BadHttpRequestException exception)
        {
            await ApiWriter.WriteAsync(context, ApiAnswer.Refuse(exception.StatusCode, exception.Message)).ConfigureAwait(false);
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            var incident = Guid.CreateVersion7(hub.Time.GetUtcNow()).ToString("N");
            LogFailed(exception, endpoint.Path, incident);
            await ApiWriter.WriteAsync(context, ApiAnswer.Refuse(500, $"incident {incident}", ChatError.Internal.Code())).ConfigureAwait(false);
        }
    }

    private async ValueTask<ApiAnswer> HandleAsync(ApiEndpoint endpoint, HttpContext context)
    {
        var outcome = Authenticate(context, out var account);
        var isOperator = IsOperator(context, account);
        if (Refusal(endpoint, account, outcome, isOperator) is { } refusal) return refusal;
        if (endpoint.Body is not { } fields)
            return await endpoint.Handle(new ApiRequest(context, endpoint, ApiBody.Empty, account, isOperator)).ConfigureAwait(false);
        if (!IsJson(context.Request)) return ApiAnswer.Refuse(StatusCodes.Status415UnsupportedMediaType, "send JSON: Content-Type: application/json");
        var body = await ApiBody.ReadAsync(context.Request, fields, context.RequestAborted).ConfigureAwait(false);
        if (body.Faults.Count > 0) return ApiWriter.Invalid(body.Faults);
        return await endpoint.Handle(new ApiRequest(context, endpoint, body, account, isOperator)).ConfigureAwait(false);
    }

    private ApiAnswer? Refusal(ApiEndpoint endpoint, ChatAccount? account, in Outcome outcome, bool isOperator)
    {
        if (endpoint.Access == ApiAccess.Public) return null;
        if (!outcome.IsDone) return ApiOutcome.Refuse(outcome);
        if (hub.Access.IsRequired && account is null)
            return ApiAnswer.Refuse(StatusCodes.Status401Unauthorized, "present a token: Authorization: Bearer TOKEN", ChatError.AuthRequired.Code());
        if (endpoint.Access == ApiAccess.Operator && !isOperator)
            return ApiAnswer.Refuse(StatusCodes.Status403Forbidden, "only operators may do that", ChatError.Forbidden.Code());
        return null;
    }

    // Browsers send JSON to another site only after asking, so a page cannot make its visitor speak here unnoticed.
    private static bool IsJson(HttpRequest request) =>
        request.ContentType is null ? request.ContentLength is null or 0 : request.HasJsonContentType();

    private async Task ShapeErrorsAsync(HttpContext context, Func<Task> next)
    {
        AllowOrigin(context);
        context.Response.Headers["Server-Version"] = ChatServer.Version;
        context.Response.Headers.XContentTypeOptions = "nosniff";
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = hub.Options.Limits.HttpBodyBytes;
        if (HttpMethods.IsOptions(context.Request.Method) && context.Response.Headers.AccessControlAllowOrigin.Count > 0)
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }
        await next().ConfigureAwait(false);
        if (context.Response.HasStarted || context.Response.StatusCode is not (404 or 405) || context.Response.ContentType is not null) return;
        await ApiWriter.WriteAsync(context, context.Response.StatusCode == 404
            ? ApiAnswer.Refuse(404, "Not Found")
            : ApiAnswer.Refuse(405, "Method Not Allowed")).ConfigureAwait(false);
    }

    /// <summary>Whether a page of this origin may use the server: it comes from here, or its site is in the configuration.</summary>
    internal bool IsAllowedOrigin(HttpRequest request, string origin) =>
        origin.Equals($"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase)
        || hub.Options.CorsOrigins.Contains(origin, StringComparer.OrdinalIgnoreCase);

    private void AllowOrigin(HttpContext context)
    {
        if (context.Request.Headers.Origin is not [{ } origin] || !hub.Options.CorsOrigins.Contains(origin, StringComparer.OrdinalIgnoreCase)) return;
        var headers = context.Response.Headers;
        headers.AccessControlAllowOrigin = origin;
        headers.AccessControlAllowHeaders = "Authorization, Content-Type, Idempotency-Key";
        headers.AccessControlAllowMethods = "GET, POST";
        headers.Vary = "Origin";
    }

    [LoggerMessage(5020, LogLevel.Error, "{Path} failed, incident {Incident}")]
    private partial void LogFailed(Exception exception, string path, string incident);
}
