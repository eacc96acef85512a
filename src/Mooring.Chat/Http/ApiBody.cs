using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Mooring.Chat.Http;

/// <summary>The members of a request's body, checked. What is wrong is told in the words of the classic server's framework.</summary>
internal sealed class ApiBody
{
    internal static readonly ApiBody Empty = new([], []);

    private readonly (string Name, string? Value)[] _values;

    private ApiBody((string, string?)[] values, IReadOnlyList<ApiFault> faults)
    {
        _values = values;
        Faults = faults;
    }

    /// <summary>What is wrong with it.</summary>
    internal IReadOnlyList<ApiFault> Faults { get; }

    internal string? this[string name]
    {
        get
        {
            foreach (var (candidate, value) in _values)
                if (candidate == name) return value;
            return null;
        }
    }

    /// <summary>Reads a body to its end; the server's limit ends one that is too large.</summary>
    internal static async ValueTask<ApiBody> ReadAsync(HttpRequest request, IReadOnlyList<ApiField> fields, CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await request.BodyReader.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (!result.IsCompleted)
            {
                request.BodyReader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                continue;
            }
            var body = Parse(result.Buffer, fields);
            request.BodyReader.AdvanceTo(result.Buffer.End);
            return body;
        }
    }

    internal static ApiBody Parse(in ReadOnlySequence<byte> bytes, IReadOnlyList<ApiField> fields)
    {
        if (bytes.IsEmpty) return Wrong(new ApiFault("missing", null, "Field required"));
        try
        {
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 16 });
            return Check(document.RootElement, fields);
        }
        catch (JsonException exception)
        {
            return Wrong(new ApiFault("json_invalid", null, $"JSON decode error: line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}"));
        }
        catch (InvalidOperationException)
        {
            // A half surrogate pair in an escape is well-formed JSON, but no text.
            return Wrong(new ApiFault("json_invalid", null, "JSON decode error: a text that is no Unicode"));
        }
    }

    private static ApiBody Check(JsonElement root, IReadOnlyList<ApiField> fields)
    {
        if (root.ValueKind != JsonValueKind.Object)
            return Wrong(new ApiFault("model_attributes_type", null, "Input should be a valid dictionary or object to extract fields from"));
        var values = new (string, string?)[fields.Count];
        List<ApiFault> faults = [];
        for (var i = 0; i < values.Length; i++)
        {
            var field = fields[i];
            values[i] = (field.Name, field.Standard);
            if (!root.TryGetProperty(field.Name, out var value))
            {
                if (field.IsRequired) faults.Add(new ApiFault("missing", field.Name, "Field required"));
            }
            else if (value.ValueKind == JsonValueKind.String)
            {
                values[i] = (field.Name, value.GetString());
            }
            else if (value.ValueKind != JsonValueKind.Null || !field.IsNullable)
            {
                faults.Add(new ApiFault("string_type", field.Name, "Input should be a valid string"));
            }
        }
        return new ApiBody(values, faults);
    }

    private static ApiBody Wrong(ApiFault fault) => new([], [fault]);
}

/// <summary>One thing that is wrong with a request.</summary>
/// <param name="Type">What kind.</param>
/// <param name="Field">Which member; null for the body as a whole.</param>
/// <param name="Message">For a person.</param>
internal sealed record ApiFault(string Type, string? Field, string Message);
