using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Mooring.Tunnel.Server.Api;

/// <summary>How the admin API answers: lists are pages with a cursor, answers have entity tags, errors are problem+json (RFC 9457).</summary>
internal static class AdminAnswers
{
    private const int PageDefault = 100;
    private const int PageMax = 1000;

    internal static Task FoundAsync<T>(HttpContext context, T? found, string otherwise, JsonTypeInfo<T> type)
        where T : class => found is null ? ProblemAsync(context, 404, otherwise) : AnswerAsync(context, found, type);

    internal static string After(HttpContext context) => context.Request.Query["after"].ToString();

    internal static int Count(HttpContext context) =>
        int.TryParse(context.Request.Query["limit"], NumberStyles.Integer, CultureInfo.InvariantCulture, out var limit) ? Math.Clamp(limit, 1, PageMax) : PageDefault;

    internal static Task PageAsync<T>(HttpContext context, IEnumerable<T> all, Func<T, string> key, JsonTypeInfo<Page<T>> type)
    {
        var after = After(context);
        return AnswerPageAsync(
            context, [.. all.Where(item => string.CompareOrdinal(key(item), after) > 0).OrderBy(key, StringComparer.Ordinal).Take(Count(context))], key, type);
    }

    internal static Task AnswerPageAsync<T>(HttpContext context, IReadOnlyList<T> items, Func<T, string> key, JsonTypeInfo<Page<T>> type) =>
        AnswerAsync(context, new Page<T>(items, items.Count == Count(context) ? key(items[^1]) : null), type);

    /// <summary>Answers with an entity tag; 304 when the caller has it already (RFC 9110 13.1.2).</summary>
    internal static async Task AnswerAsync<T>(HttpContext context, T body, JsonTypeInfo<T> type)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(body, type);
        var tag = TagOf(bytes);
        context.Response.Headers.ETag = tag;
        if (IsListed(context.Request.Headers.IfNoneMatch, tag))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }

    /// <summary>Whether a change may be made to what the caller saw; false after 412 was answered (RFC 9110 13.1.1).</summary>
    internal static async Task<bool> IsUnchangedAsync<T>(HttpContext context, T? current, JsonTypeInfo<T> type)
        where T : class
    {
        var wanted = context.Request.Headers.IfMatch;
        if (wanted.Count == 0) return true;
        if (current is not null && IsListed(wanted, TagOf(JsonSerializer.SerializeToUtf8Bytes(current, type)))) return true;
        await ProblemAsync(context, 412, "it has changed since; look again");
        return false;
    }

    private static string TagOf(ReadOnlySpan<byte> body) => $"\"{Convert.ToHexStringLower(SHA256.HashData(body).AsSpan(0, 12))}\"";

    private static bool IsListed(StringValues tags, string tag)
    {
        foreach (var element in tags.ToString().Split(','))
        {
            var given = element.AsSpan().Trim();
            if (given.StartsWith("W/")) given = given[2..];
            if (given is "*" || given.SequenceEqual(tag)) return true;
        }
        return false;
    }

    internal static async Task ProblemAsync(HttpContext context, int status, string title)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/problem+json";
        await JsonSerializer.SerializeAsync(context.Response.Body, new Problem(status, title), AdminJson.Default.Problem, context.RequestAborted);
    }

    internal static Task DoneAsync(HttpContext context, bool isDone, string otherwise)
    {
        if (!isDone) return ProblemAsync(context, 404, otherwise);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }
}
