using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mooring.Edge.Hub.Api;

/// <summary>The REST API of a runtime as if it were here: a request becomes <c>run_command</c>, its answer a response.</summary>
internal static class RuntimeProxy
{
    /// <summary>Credentials for the runtime, when <c>Authorization</c> holds those for the hub.</summary>
    private const string RuntimeAuthorization = "X-Runtime-Authorization";

    private static readonly string[] Methods = ["GET", "POST", "PUT", "DELETE"];
    private static readonly string[] SentHeaders = ["Accept", "Accept-Language", "Content-Type", "If-Match", "If-None-Match", "Range"];
    private static readonly string[] ReturnedHeaders = ["Content-Disposition", "Content-Type", "ETag", "Location", "Retry-After", "WWW-Authenticate"];

    public static void Map(RouteGroupBuilder group) => group
        .MapMethods("/{device}/proxy/{**path}", Methods, Handle).For(HubRole.Operator).TakesUpTo(DeviceEndpoints.CommandBytesMax)
        .WithSummary("The runtime's own API. X-Runtime-Authorization becomes its Authorization; port chooses another port than 8443.");

    private static async Task<IResult> Handle(HttpContext http, EdgeHub hub, string agent, string device, string? path)
    {
        var command = new JsonObject { ["device_id"] = device, ["method"] = http.Request.Method, ["api"] = path ?? "", ["headers"] = HeadersOf(http) };
        AddQuery(http, command);
        if (http.Request.HasFormContentType) await AddFormAsync(http, command);
        else await AddBodyAsync(http, command);
        var outcome = await HubCall.DoAsync(
            http, hub, agent, device, "run_command", command, DeviceEndpoints.CommandTimeout(hub, command), $"run_command {http.Request.Method} {path}");
        if (!outcome.IsGood || !outcome.Answer.TryGetProperty("http_response", out var response) || response.ValueKind != JsonValueKind.Object)
            return new AgentResult(outcome.IsGood ? outcome with { Status = 502, Error = "the agent answered without the runtime's response" } : outcome);
        return new Response(response);
    }

    private static JsonObject HeadersOf(HttpContext http)
    {
        var headers = new JsonObject();
        foreach (var name in SentHeaders)
            // The form is sent anew, with a boundary of its own.
            if (http.Request.Headers.TryGetValue(name, out var value) && !(name == "Content-Type" && http.Request.HasFormContentType)) headers[name] = value.ToString();
        if (http.Request.Headers.TryGetValue(RuntimeAuthorization, out var authorization)) headers["Authorization"] = authorization.ToString();
        else if (http.Features.Get<HubCaller>() is { Name: "local" } && http.Request.Headers.Authorization.ToString() is { Length: > 0 } own) headers["Authorization"] = own;
        return headers;
    }

    private static void AddQuery(HttpContext http, JsonObject command)
    {
        var query = new JsonObject();
        foreach (var (name, values) in http.Request.Query)
        {
            if (name == "port" && int.TryParse(values, out var port)) command["port"] = port;
            else query[name] = values.Count == 1 ? JsonValue.Create(values[0]) : new JsonArray([.. values.Select(v => JsonValue.Create(v))]);
        }
        if (query.Count > 0) command["params"] = query;
    }

    private static async Task AddFormAsync(HttpContext http, JsonObject command)
    {
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var fields = new JsonObject();
        foreach (var (name, values) in form) fields[name] = values.ToString();
        var files = new JsonObject();
        foreach (var file in form.Files)
        {
            using var content = new MemoryStream();
            await file.CopyToAsync(content, http.RequestAborted);
            files[file.Name] = new JsonObject
            {
                ["filename"] = file.FileName,
                ["content_base64"] = Convert.ToBase64String(content.GetBuffer().AsSpan(0, (int)content.Length)),
                ["content_type"] = file.ContentType,
            };
        }
        if (fields.Count > 0) command["data"] = fields;
        if (files.Count > 0) command["files"] = files;
        else ((JsonObject)command["headers"]!)["Content-Type"] = "application/x-www-form-urlencoded";
    }

    private static async Task AddBodyAsync(HttpContext http, JsonObject command)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        if (body.Length == 0) return;
        var bytes = body.GetBuffer().AsMemory(0, (int)body.Length);
        if (http.Request.HasJsonContentType() && TryParse(bytes, out var json)) command["data"] = json;
        else if (IsText(bytes.Span)) command["data"] = Encoding.UTF8.GetString(bytes.Span);
        else command["data_base64"] = Convert.ToBase64String(bytes.Span);
    }

    private static bool TryParse(ReadOnlyMemory<byte> bytes, out JsonNode? json)
    {
        try
        {
            json = JsonNode.Parse(bytes.Span);
            return true;
        }
        catch (JsonException)
        {
            json = null;
            return false;
        }
    }

    private static bool IsText(ReadOnlySpan<byte> bytes) => System.Text.Unicode.Utf8.IsValid(bytes) && !bytes.Contains((byte)0);

    /// <summary>The runtime's response.</summary>
    private sealed class Response(JsonElement answer) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.StatusCode = answer.TryGetProperty("status_code", out var status) && status.TryGetInt32(out var code) && code is >= 200 and < 600 ? code : 502;
            if (answer.TryGetProperty("headers", out var headers) && headers.ValueKind == JsonValueKind.Object)
                foreach (var header in headers.EnumerateObject())
                    if (ReturnedHeaders.Contains(header.Name, StringComparer.OrdinalIgnoreCase) && header.Value.ValueKind == JsonValueKind.String)
                        response.Headers[header.Name] = header.Value.GetString();
            // A page of the runtime must not act in the name of the hub's own.
            response.Headers.ContentSecurityPolicy = "sandbox";
            response.Headers.XContentTypeOptions = "nosniff";
            if (!answer.TryGetProperty("body", out var body) || body.ValueKind == JsonValueKind.Null || response.StatusCode is 204 or 304) return;
            await response.Body.WriteAsync(BytesOf(body), httpContext.RequestAborted);
        }

        private ReadOnlyMemory<byte> BytesOf(JsonElement body)
        {
            var isJson = answer.TryGetProperty("content_type", out var type) && type.ValueEquals("application/json"u8);
            if (body.ValueKind != JsonValueKind.String || isJson) return Encoding.UTF8.GetBytes(body.GetRawText());
            return answer.TryGetProperty("body_encoding", out var encoding) && encoding.ValueEquals("base64"u8) && body.TryGetBytesFromBase64(out var bytes)
                ? bytes
                : Encoding.UTF8.GetBytes(body.GetString()!);
        }
    }
}
