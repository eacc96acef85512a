using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;

namespace Mooring.Chat.Http;

/// <summary>The description of the interface in OpenAPI 3.1, written from the endpoints themselves.</summary>
internal static class OpenApiDocument
{
    internal static void Write(Utf8JsonWriter json, IReadOnlyList<ApiEndpoint> endpoints)
    {
        json.WriteStartObject();
        json.WriteString("openapi", "3.1.0");
        json.WriteStartObject("info");
        json.WriteString("title", "Chat Server API");
        json.WriteString("version", "1.0.0");
        json.WriteEndObject();
        json.WriteStartObject("paths");
        foreach (var path in endpoints.GroupBy(endpoint => endpoint.Path))
        {
            json.WriteStartObject(path.Key);
            foreach (var endpoint in path) WriteOperation(json, endpoint);
            json.WriteEndObject();
        }
        json.WriteEndObject();
        WriteComponents(json);
        json.WriteEndObject();
    }

    private static void WriteOperation(Utf8JsonWriter json, ApiEndpoint endpoint)
    {
        json.WriteStartObject(endpoint.Method.ToLowerInvariant());
        json.WriteString("summary", endpoint.Summary);
        json.WriteStartArray("parameters");
        foreach (var name in RouteNames(endpoint.Path)) WriteParameter(json, new ApiField(name, true), "path");
        foreach (var field in endpoint.Query) WriteParameter(json, field, "query");
        json.WriteEndArray();
        if (endpoint.Body is { } body) WriteBody(json, body);
        WriteResponses(json, endpoint);
        if (endpoint.Access != ApiAccess.Public)
        {
            json.WriteStartArray("security");
            json.WriteStartObject();
            json.WriteStartArray("token");
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void WriteParameter(Utf8JsonWriter json, ApiField field, string place)
    {
        json.WriteStartObject();
        json.WriteString("name", field.Name);
        json.WriteString("in", place);
        json.WriteBoolean("required", field.IsRequired);
        if (field.Description.Length > 0) json.WriteString("description", field.Description);
        WriteSchema(json, "schema", field);
        json.WriteEndObject();
    }

    private static void WriteBody(Utf8JsonWriter json, IReadOnlyList<ApiField> fields)
    {
        json.WriteStartObject("requestBody");
        json.WriteBoolean("required", true);
        json.WriteStartObject("content");
        json.WriteStartObject("application/json");
        json.WriteStartObject("schema");
        json.WriteString("type", "object");
        json.WriteStartObject("properties");
        foreach (var field in fields) WriteSchema(json, field.Name, field);
        json.WriteEndObject();
        json.WriteStartArray("required");
        foreach (var field in fields.Where(field => field.IsRequired)) json.WriteStringValue(field.Name);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteSchema(Utf8JsonWriter json, string name, ApiField field)
    {
        json.WriteStartObject(name);
        if (field.IsNullable)
        {
            json.WriteStartArray("type");
            json.WriteStringValue("string");
            json.WriteStringValue("null");
            json.WriteEndArray();
        }
        else
        {
            json.WriteString("type", "string");
        }
        if (field.Standard is not null) json.WriteString("default", field.Standard);
        json.WriteEndObject();
    }

    private static void WriteResponses(Utf8JsonWriter json, ApiEndpoint endpoint)
    {
        json.WriteStartObject("responses");
        json.WriteStartObject("200");
        json.WriteString("description", "Done");
        json.WriteEndObject();
        IEnumerable<int> refusals = endpoint.Refusals;
        if (endpoint.Access != ApiAccess.Public) refusals = refusals.Concat([401, 403]);
        if (endpoint.Body is not null) refusals = refusals.Concat([413, 415, 422]);
        foreach (var status in refusals.Distinct().Order())
        {
            json.WriteStartObject(status.ToString(CultureInfo.InvariantCulture));
            json.WriteString("description", ReasonPhrases.GetReasonPhrase(status));
            json.WriteStartObject("content");
            json.WriteStartObject("application/problem+json");
            json.WriteStartObject("schema");
            json.WriteString("$ref", "#/components/schemas/Problem");
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static void WriteComponents(Utf8JsonWriter json) => json.WriteRawValue("components", """
        {"securitySchemes":{"token":{"type":"http","scheme":"bearer"}},
        "schemas":{"Problem":{"type":"object","properties":{"type":{"type":"string"},"title":{"type":"string"},"status":{"type":"integer"},
        "detail":{"type":"string"},"code":{"type":"string"}}}}}
        """);

    private static void WriteRawValue(this Utf8JsonWriter json, string property, string value)
    {
        json.WritePropertyName(property);
        json.WriteRawValue(value);
    }

    private static IEnumerable<string> RouteNames(string path) =>
        path.Split('/').Where(part => part.StartsWith('{')).Select(part => part.Trim('{', '}'));
}
