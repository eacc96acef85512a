using System.Net;
using Microsoft.AspNetCore.Http;
using Mooring.Chat.Access;
using Mooring.Chat.Rooms;

namespace Mooring.Chat.Http;

/// <summary>A request that has passed all general checks.</summary>
internal sealed class ApiRequest(HttpContext context, ApiEndpoint endpoint, ApiBody body, ChatAccount? account, bool isOperator)
{
    internal HttpContext Context => context;

    internal ApiEndpoint Endpoint => endpoint;

    internal ChatAccount? Account => account;

    internal bool IsOperator => isOperator;

    internal IPAddress Remote => context.Connection.RemoteIpAddress ?? IPAddress.None;

    internal CancellationToken Aborted => context.RequestAborted;

    /// <summary>A member of the body; its default when it is missing.</summary>
    internal string? this[string name] => body[name];

    internal string Required(string name) => body[name] ?? "";

    internal string? Query(string name) => context.Request.Query[name] is [{ Length: > 0 } value, ..] ? value : null;

    internal string Route(string name) => RequestPath.Part(context, endpoint.Path, name);

    /// <summary>Whether the caller may act for a client: it is an operator, its token says so, or it owns the session.</summary>
    internal bool MayActFor(Session session) =>
        isOperator || account?.MayUse(session.Id) == true || session.IsResumedBy(Query("session") ?? body["session"]);
}
