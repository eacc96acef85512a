using System.Text.Json;

namespace Mooring.Chat.Http;

/// <summary>A value that a request brings.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsRequired">Whether it must be there.</param>
/// <param name="Standard">What it is when it is missing.</param>
internal sealed record ApiField(string Name, bool IsRequired, string? Standard = null)
{
    /// <summary>Whether <c>null</c> may be written for it.</summary>
    internal bool IsNullable => !IsRequired && Standard is null;

    internal string Description { get; init; } = "";
}

/// <summary>Who may call.</summary>
internal enum ApiAccess
{
    /// <summary>Anybody.</summary>
    Public,

    /// <summary>Whoever presents a token, where tokens are asked for.</summary>
    Client,

    /// <summary>Operators.</summary>
    Operator,
}

/// <summary>
/// One endpoint: what is routed, checked and described all comes from here, so that the description in <c>/openapi.json</c> is what
/// the server does.
/// </summary>
internal sealed record ApiEndpoint(string Method, string Path, string Summary, Func<ApiRequest, ValueTask<ApiAnswer>> Handle)
{
    /// <summary>Members of the JSON body; null for an endpoint without a body.</summary>
    internal IReadOnlyList<ApiField>? Body { get; init; }

    internal IReadOnlyList<ApiField> Query { get; init; } = [];

    internal ApiAccess Access { get; init; } = ApiAccess.Client;

    /// <summary>Codes of the refusals that it knows besides the general ones.</summary>
    internal IReadOnlyList<int> Refusals { get; init; } = [];
}

/// <summary>What is answered: a status and a JSON body.</summary>
/// <param name="Status">The status.</param>
/// <param name="Write">Writes the body; null when the handler has written everything itself.</param>
internal readonly record struct ApiAnswer(int Status, Action<Utf8JsonWriter>? Write)
{
    /// <summary>The handler has answered itself.</summary>
    internal static readonly ApiAnswer Sent = new(0, null);

    /// <summary>Error code, when it is a refusal.</summary>
    internal string? Code { get; init; }

    /// <summary>For a person, when it is a refusal.</summary>
    internal string? Detail { get; init; }

    internal int? RetryAfterSeconds { get; init; }

    internal static ApiAnswer Ok(Action<Utf8JsonWriter> write) => new(200, write);

    internal static ApiAnswer Refuse(int status, string detail, string? code = null) => new(status, null) { Code = code, Detail = detail };
}
