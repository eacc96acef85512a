using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Mooring.Edge.Agent.RuntimeCalls;

/// <summary>Makes the HTTP request of a call.</summary>
internal static class RuntimeCallBody
{
    private const string ContentType = "Content-Type";

    /// <summary>The request to a device.</summary>
    /// <param name="call">The call.</param>
    /// <param name="address">The device's address on its private network.</param>
    public static HttpRequestMessage ToRequest(RuntimeCall call, string address)
    {
        var request = new HttpRequestMessage(new HttpMethod(call.Method), AddressOf(call, address)) { Content = ContentOf(call) };
        foreach (var (name, value) in call.Headers)
        {
            if (IsContentType(name)) continue;
            if (!request.Headers.TryAddWithoutValidation(name, value)) request.Content?.Headers.TryAddWithoutValidation(name, value);
        }
        return request;
    }

    private static Uri AddressOf(RuntimeCall call, string address)
    {
        var scheme = call.Port == RuntimeCall.SecurePort ? Uri.UriSchemeHttps : Uri.UriSchemeHttp;
        var text = new StringBuilder().Append(scheme).Append("://").Append(address).Append(':').Append(call.Port).Append('/').Append(call.Api);
        var separator = call.Api.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        foreach (var (name, value) in call.Query)
        {
            text.Append(separator).Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(value));
            separator = '&';
        }
        return new Uri(text.ToString());
    }

    private static HttpContent? ContentOf(RuntimeCall call)
    {
        var type = call.Headers.FirstOrDefault(header => IsContentType(header.Key)).Value;
        if (call.Files.Count > 0) return FormOf(call);
        if (call.RawData is { } raw) return Bytes(raw, type ?? "application/octet-stream");
        if (call.Data is not { } data) return null;
        if (type is null || type.Contains("json", StringComparison.OrdinalIgnoreCase)) return Bytes(Encoding.UTF8.GetBytes(data.GetRawText()), type ?? "application/json");
        if (data.ValueKind == JsonValueKind.Object) return new FormUrlEncodedContent(Fields(data));
        return Bytes(Encoding.UTF8.GetBytes(RuntimeCall.Text(data)), type);
    }

    // Members of the data become fields of the form: dropping them, as earlier agents did, serves nobody.
    private static MultipartFormDataContent FormOf(RuntimeCall call)
    {
        var form = new MultipartFormDataContent();
        if (call.Data is { ValueKind: JsonValueKind.Object } data)
            foreach (var (name, value) in Fields(data)) form.Add(new StringContent(value), Quoted(name));
        foreach (var file in call.Files) form.Add(Bytes(file.Content, file.ContentType), Quoted(file.Field), Quoted(file.Name));
        return form;
    }

    private static IEnumerable<KeyValuePair<string, string>> Fields(JsonElement data)
    {
        foreach (var member in data.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.Array)
                foreach (var item in member.Value.EnumerateArray()) yield return new(member.Name, RuntimeCall.Text(item));
            else
                yield return new(member.Name, RuntimeCall.Text(member.Value));
        }
    }

    private static ByteArrayContent Bytes(byte[] bytes, string type)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = MediaTypeHeaderValue.TryParse(type, out var parsed) ? parsed : new MediaTypeHeaderValue("application/octet-stream");
        return content;
    }

    // Names stand between quotes in the header of a part; what would end them there is written as browsers write it (HTML, "multipart/form-data").
    private static string Quoted(string name) => '"'
        + name.Replace("\"", "%22", StringComparison.Ordinal).Replace("\r", "%0D", StringComparison.Ordinal).Replace("\n", "%0A", StringComparison.Ordinal) + '"';

    private static bool IsContentType(string name) => string.Equals(name, ContentType, StringComparison.OrdinalIgnoreCase);
}
