using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Mooring.Chat.Http;

/// <summary>Writes answers.</summary>
internal static class ApiWriter
{
    private static readonly JsonWriterOptions Options = new() { SkipValidation = true };

    internal static async Task WriteAsync(HttpContext context, ApiAnswer answer)
    {
        if (answer.Status == 0) return;
        var response = context.Response;
        response.StatusCode = answer.Status;
        if (answer.RetryAfterSeconds is { } seconds) response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        response.ContentType = answer.Write is null ? "application/problem+json" : "application/json";
        Write(response, answer.Write ?? (json => WriteProblem(json, answer)));
        await response.BodyWriter.FlushAsync(context.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>What is wrong with a request, as the classic server's framework told it.</summary>
    internal static ApiAnswer Invalid(IReadOnlyList<ApiFault> faults) => new(StatusCodes.Status422UnprocessableEntity, json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("detail");
        foreach (var fault in faults)
        {
            json.WriteStartObject();
            json.WriteString("type", fault.Type);
            json.WriteStartArray("loc");
            json.WriteStringValue("body");
            if (fault.Field is not null) json.WriteStringValue(fault.Field);
            json.WriteEndArray();
            json.WriteString("msg", fault.Message);
            json.WriteNull("input");
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    });

    // RFC 9457, with the code of the line protocol.
    private static void WriteProblem(Utf8JsonWriter json, in ApiAnswer answer)
    {
        json.WriteStartObject();
        json.WriteString("type", "about:blank");
        json.WriteString("title", Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(answer.Status));
        json.WriteNumber("status", answer.Status);
        json.WriteString("detail", answer.Detail);
        if (answer.Code is not null) json.WriteString("code", answer.Code);
        json.WriteEndObject();
    }

    private static void Write(HttpResponse response, Action<Utf8JsonWriter> write)
    {
        using var json = new Utf8JsonWriter(response.BodyWriter, Options);
        write(json);
        json.Flush();
    }
}
