using System.Text.Json;
using Mooring.Edge.Agent.Topics;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Agent.RuntimeCalls;

/// <summary>A call of a runtime's REST API, as a hub sends it.</summary>
internal sealed record RuntimeCall
{
    /// <summary>What the message of <c>run_command</c> must hold.</summary>
    public static Contract Contract { get; } = Contract.DeviceRequest
        .Required("method", ContractType.String)
        .Required("api", ContractType.String)
        .Optional("port", ContractType.Number)
        .Optional("headers", ContractType.AnyObject)
        .Optional("params", ContractType.AnyObject)
        .Optional("files", ContractType.AnyObject)
        .Optional("data_base64", ContractType.String)
        .Optional("timeout", ContractType.Number);

    /// <summary>The port on which runtimes speak HTTPS.</summary>
    public const int SecurePort = 8443;

    private const double LongestTimeout = 300;
    private const double UploadTimeout = 120;
    private const double UsualTimeout = 30;

    public required string Method { get; init; }

    /// <summary>Path without leading slashes.</summary>
    public required string Api { get; init; }

    public required int Port { get; init; }

    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Members of the query; a name may come more than once.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Query { get; init; } = [];

    /// <summary>What the body is made of; null for none.</summary>
    public JsonElement? Data { get; init; }

    /// <summary>The body itself.</summary>
    public byte[]? RawData { get; init; }

    public IReadOnlyList<RuntimeFile> Files { get; init; } = [];

    /// <summary>Longest time for all of it.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>Reads a message that fulfils <see cref="Contract"/>.</summary>
    /// <param name="request">The message.</param>
    /// <param name="call">The call.</param>
    /// <param name="error">What is wrong with it.</param>
    public static bool TryRead(TopicRequest request, out RuntimeCall call, out string? error)
    {
        call = null!;
        error = CheckPath(request.Text("api")!);
        var port = request.Number("port") ?? SecurePort;
        if (error is null && (port is < 1 or > 65_535 || port != Math.Floor(port))) error = $"port {port} is not a port: 1 to 65535";
        var timeout = request.Number("timeout");
        if (error is null && timeout is <= 0 or > LongestTimeout) error = $"timeout {timeout} is not allowed: above 0, at most {LongestTimeout} seconds";
        var files = new List<RuntimeFile>();
        byte[]? raw = null;
        if (error is null) error = ReadFiles(request, files) ?? ReadBase64(request.Text("data_base64"), "data_base64", out raw);
        var headers = Pairs(request.Find("headers"));
        error ??= headers.Select(CheckHeader).FirstOrDefault(e => e is not null);
        if (error is not null) return false;
        call = new RuntimeCall
        {
            Method = request.Text("method")!,
            Api = request.Text("api")!.TrimStart('/'),
            Port = (int)port,
            Headers = headers,
            Query = Pairs(request.Find("params")),
            Data = request.Find("data"),
            RawData = raw,
            Files = files,
            Timeout = TimeSpan.FromSeconds(timeout ?? (files.Count > 0 ? UploadTimeout : UsualTimeout)),
        };
        return true;
    }

    // What follows the address of the device must stay there: no other host, no way up, no second request.
    private static string? CheckPath(string api)
    {
        if (api.Any(char.IsControl)) return "api must not contain control characters";
        if (api.Contains("://", StringComparison.Ordinal)) return "api must be a path, without scheme and host";
        var path = api.Split('?', '#')[0];
        return Uri.UnescapeDataString(path).Replace('\\', '/').Split('/').Contains("..") ? "api must not contain .. as a part of its path" : null;
    }

    private static string? CheckHeader(KeyValuePair<string, string> header)
    {
        if (header.Key.Length == 0 || !header.Key.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal)))
            return $"headers: '{header.Key}' is not the name of a header";
        return header.Value.Any(c => c is '\r' or '\n' or '\0') ? $"headers: the value of {header.Key} must not contain line ends" : null;
    }

    private static string? ReadFiles(TopicRequest request, List<RuntimeFile> files)
    {
        if (request.Find("files") is not { } all) return null;
        foreach (var field in all.EnumerateObject())
        {
            if (field.Value.ValueKind != JsonValueKind.Object) return $"files.{field.Name} must be an object";
            var file = new TopicRequest(field.Value);
            if (file.Text("content_base64") is not { Length: > 0 } text) continue;
            if (ReadBase64(text, $"files.{field.Name}.content_base64", out var content) is { } error) return error;
            files.Add(new RuntimeFile(field.Name, file.Text("filename") ?? field.Name, file.Text("content_type") ?? "application/octet-stream", content!));
        }
        return null;
    }

    private static string? ReadBase64(string? text, string field, out byte[]? content)
    {
        content = null;
        if (text is null) return null;
        var buffer = new byte[(text.Length / 4 * 3) + 3];
        if (!Convert.TryFromBase64String(text, buffer, out var length)) return $"{field} is not base64";
        content = buffer[..length];
        return null;
    }

    private static List<KeyValuePair<string, string>> Pairs(JsonElement? members)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        if (members is not { ValueKind: JsonValueKind.Object } all) return pairs;
        foreach (var member in all.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.Array)
                pairs.AddRange(member.Value.EnumerateArray().Select(item => new KeyValuePair<string, string>(member.Name, Text(item))));
            else if (member.Value.ValueKind != JsonValueKind.Null)
                pairs.Add(new KeyValuePair<string, string>(member.Name, Text(member.Value)));
        }
        return pairs;
    }

    /// <summary>A value as it stands in a query, a header or a form.</summary>
    internal static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        // As the first agents wrote them.
        JsonValueKind.True => "True",
        JsonValueKind.False => "False",
        _ => value.GetRawText(),
    };
}

/// <summary>A file of a form.</summary>
/// <param name="Field">Name of the field.</param>
/// <param name="Name">Name of the file.</param>
/// <param name="ContentType">Its type.</param>
/// <param name="Content">Its bytes.</param>
internal sealed record RuntimeFile(string Field, string Name, string ContentType, byte[] Content);
