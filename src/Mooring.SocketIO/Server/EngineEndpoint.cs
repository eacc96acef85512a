using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mooring.SocketIO.Server;

/// <summary>The HTTP end of Engine.IO: checks each request, finds or makes its session and hands it on.</summary>
internal sealed partial class EngineEndpoint(
    SocketIOServerOptions options, TimeProvider time, ILogger logger, Func<EngineSession, IEngineReceiver> newReceiver)
{
    private const string Protocol = "4";
    private const int SessionIdBytes = 15;

    private readonly ConcurrentDictionary<string, EngineSession> _sessions = new(StringComparer.Ordinal);
    private int _count;
    private volatile bool _stopped;

    public int Count => Volatile.Read(ref _count);

    public async Task HandleAsync(HttpContext context)
    {
        if (!AllowOrigin(context))
        {
            LogOrigin(logger, context.Request.Headers.Origin.ToString());
            await RefuseAsync(context, EngineError.Forbidden);
            return;
        }
        if (HttpMethods.IsOptions(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }
        var isWebSocket = WebSocketUpgrade.IsRequested(context);
        if (Check(context, isWebSocket) is { } error)
        {
            await RefuseAsync(context, error);
            return;
        }
        try
        {
            if (context.Request.Query["sid"].ToString() is { Length: > 0 } id) await ContinueAsync(context, id, isWebSocket);
            else await OpenAsync(context, isWebSocket);
        }
        catch (Exception e) when (context.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException)
        {
            // The client went away in the middle of a request; its session sees that for itself.
        }
    }

    public void Stop()
    {
        _stopped = true;
        foreach (var session in _sessions.Values) session.Close(SocketIODisconnectReason.Stopping);
    }

    public static async Task RefuseAsync(HttpContext context, EngineError error) =>
        await RefuseAsync(context, error.StatusCode, error.Code, error.Message);

    private static async Task RefuseAsync(HttpContext context, int status, int code, string message)
    {
        if (context.Response.HasStarted) return;
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        json.WriteStartObject();
        json.WriteNumber("code"u8, code);
        json.WriteString("message"u8, message);
        json.WriteEndObject();
        await json.FlushAsync(context.RequestAborted);
    }

    private EngineError? Check(HttpContext context, bool isWebSocket)
    {
        var query = context.Request.Query;
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsPost(context.Request.Method) && !isWebSocket) return EngineError.BadMethod;
        SocketIOTransports? transport = query["transport"].ToString() switch
        {
            "polling" => SocketIOTransports.Polling,
            "websocket" => SocketIOTransports.WebSocket,
            _ => null,
        };
        if (transport is not { } wanted || !options.Transports.HasFlag(wanted)) return EngineError.UnknownTransport;
        if (query["EIO"] != Protocol) return EngineError.UnsupportedVersion;
        if (isWebSocket != (wanted == SocketIOTransports.WebSocket)) return EngineError.BadRequest;
        return query["sid"].Count == 0 && HttpMethods.IsPost(context.Request.Method) ? EngineError.BadMethod : null;
    }

    private async Task OpenAsync(HttpContext context, bool isWebSocket)
    {
        var handshake = new SocketIOHandshake(context, time.GetUtcNow());
        if (options.Admit is { } admit && await admit(handshake, context.RequestAborted) is { } refusal)
        {
            LogRefused(logger, handshake.RemoteEndPoint, refusal.StatusCode, refusal.Message);
            await RefuseAsync(context, refusal.StatusCode, EngineError.Forbidden.Code, refusal.Message);
            return;
        }
        if (NewSession(handshake) is not { } session)
        {
            LogFull(logger, options.ConnectionsMax);
            await RefuseAsync(context, EngineError.Full);
            return;
        }
        LogOpened(logger, session.Id, handshake.RemoteEndPoint);
        if (isWebSocket) await WebSocketRequests.OpenAsync(context, session, options, time);
        else await PollingRequests.OpenAsync(context, session);
    }

    private async Task ContinueAsync(HttpContext context, string id, bool isWebSocket)
    {
        if (!_sessions.TryGetValue(id, out var session)) await RefuseAsync(context, EngineError.UnknownSession);
        else if (!session.Handshake.IsSamePeer(context))
        {
            LogOtherCertificate(logger, session.Id);
            await RefuseAsync(context, EngineError.Forbidden);
        }
        else if (isWebSocket) await WebSocketRequests.TakeOverAsync(context, session, options, time);
        else if (HttpMethods.IsPost(context.Request.Method)) await PollingRequests.PostAsync(context, session, options.Limits.PayloadBytesMax);
        else await PollingRequests.GetAsync(context, session);
    }

    private EngineSession? NewSession(SocketIOHandshake handshake)
    {
        if (Interlocked.Increment(ref _count) > options.ConnectionsMax || _stopped)
        {
            Interlocked.Decrement(ref _count);
            return null;
        }
        var id = Convert.ToBase64String(RandomNumberGenerator.GetBytes(SessionIdBytes)).Replace('+', '-').Replace('/', '_');
        var session = new EngineSession(id, handshake, options, time, logger, Forget);
        session.Receiver = newReceiver(session);
        _sessions[id] = session;
        // Whoever stopped meanwhile may have missed this one.
        if (_stopped) session.Close(SocketIODisconnectReason.Stopping);
        return session;
    }

    private void Forget(EngineSession session)
    {
        if (_sessions.TryRemove(session.Id, out _)) Interlocked.Decrement(ref _count);
    }

    /// <summary>
    /// A browser names the page's origin whenever it is not the server's own. Without this check any page that a person opens could talk
    /// to a server that only this person can reach.
    /// </summary>
    private bool AllowOrigin(HttpContext context)
    {
        if (context.Request.Headers.Origin.ToString() is not { Length: > 0 } origin) return true;
        if (Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Authority == context.Request.Host.Value) return true;
        var isNamed = options.AllowedOrigins.Contains(origin, StringComparer.OrdinalIgnoreCase);
        if (!isNamed && !options.AllowedOrigins.Contains("*")) return false;
        var headers = context.Response.Headers;
        headers.AccessControlAllowOrigin = isNamed ? origin : "*";
        headers.AccessControlAllowMethods = "GET, POST";
        headers.AccessControlAllowHeaders = "content-type";
        headers.Vary = "Origin";
        if (isNamed) headers.AccessControlAllowCredentials = "true";
        return true;
    }

    [LoggerMessage(3520, LogLevel.Debug, "Session {SessionId} opened by {Remote}")]
    private static partial void LogOpened(ILogger logger, string sessionId, System.Net.IPEndPoint? remote);

    [LoggerMessage(3521, LogLevel.Information, "A connection of {Remote} is refused with status {StatusCode}: {Why}")]
    private static partial void LogRefused(ILogger logger, System.Net.IPEndPoint? remote, int statusCode, string why);

    [LoggerMessage(3522, LogLevel.Warning, "A connection is refused: there are {ConnectionsMax} already")]
    private static partial void LogFull(ILogger logger, int connectionsMax);

    [LoggerMessage(3523, LogLevel.Information, "A request of session {SessionId} is refused: it does not show the certificate that opened the session")]
    private static partial void LogOtherCertificate(ILogger logger, string sessionId);

    [LoggerMessage(3524, LogLevel.Information, "A request from a page of {Origin} is refused: the origin is not allowed")]
    private static partial void LogOrigin(ILogger logger, string origin);
}
