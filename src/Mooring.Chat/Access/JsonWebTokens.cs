using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Mooring.Chat.Access;

/// <summary>
/// Tokens that somebody else issues and signs: JWT (RFC 7519) in the compact form of RFC 7515. <c>sub</c> is the client id, <c>role</c> is
/// <c>member</c> or <c>operator</c>. Whatever is not exactly as expected opens nothing.
/// </summary>
/// <param name="keys">Keys that are trusted.</param>
/// <param name="issuer">What <c>iss</c> must be; null when it does not matter.</param>
/// <param name="audience">What <c>aud</c> must have in it; null for tokens that name no audience.</param>
internal sealed class JsonWebTokens(IReadOnlyList<JsonWebKey> keys, string? issuer, string? audience)
{
    /// <summary>Characters of a token: with a signature of RSA 4096 still room for two kilobytes of claims.</summary>
    internal const int LengthMax = 4096;

    /// <summary>Seconds by which the issuer's clock may differ.</summary>
    internal const int LeewaySeconds = 30;

    // No padding and no blanks, which decoders like to pass over: a token has one form only.
    private static readonly SearchValues<char> Letters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 8 };

    /// <summary>The account that a token opens at this moment; null when it opens none.</summary>
    internal ChatAccount? Authenticate(string token, long nowUnixSeconds)
    {
        if (token.Length > LengthMax || token.AsSpan().ContainsAnyExcept(Letters) || token.Split('.') is not [var head, var body, var signature]) return null;
        try
        {
            using var header = JsonDocument.Parse(Decode(head), Strict);
            if (!IsSigned(header.RootElement, Encoding.ASCII.GetBytes($"{head}.{body}"), Decode(signature))) return null;
            using var claims = JsonDocument.Parse(Decode(body), Strict);
            return ToAccount(claims.RootElement, nowUnixSeconds);
        }
        catch (Exception exception) when (exception is JsonException or FormatException or InvalidOperationException)
        {
            // Not a token, or a claim of another kind than the standard says.
            return null;
        }
    }

    private bool IsSigned(JsonElement header, byte[] signed, byte[] signature)
    {
        // RFC 7515, 4.1.11: extensions that must be understood are not.
        if (header.TryGetProperty("crit", out _)) return false;
        if (Text(header, "typ") is { } type && !type.Equals("JWT", StringComparison.OrdinalIgnoreCase) && !type.Equals("at+jwt", StringComparison.OrdinalIgnoreCase))
            return false;
        var (algorithm, id) = (Text(header, "alg"), Text(header, "kid"));
        foreach (var key in keys)
        {
            if (key.Algorithm != algorithm || (id is not null && key.Id is not null && id != key.Id)) continue;
            if (key.Verify(signed, signature)) return true;
        }
        return false;
    }

    private ChatAccount? ToAccount(JsonElement claims, long now)
    {
        if (Seconds(claims, "exp") is not { } expires || now >= expires + LeewaySeconds) return null;
        if (Seconds(claims, "nbf") is { } notBefore && now < notBefore - LeewaySeconds) return null;
        if (issuer is not null && Text(claims, "iss") != issuer) return null;
        if (!IsForUs(claims)) return null;
        var account = TokensFile.ToAccount(Text(claims, "sub") ?? "", Text(claims, "role") ?? TokensFile.MemberRole);
        return account is { HookRoom: null } ? account with { ExpiresAt = (expires + LeewaySeconds) * 1000 } : null;
    }

    // RFC 7519, 4.1.3: who is not named by a token that names its audience must refuse it.
    private bool IsForUs(JsonElement claims)
    {
        if (!claims.TryGetProperty("aud", out var named)) return audience is null;
        return audience is not null && named.ValueKind switch
        {
            JsonValueKind.String => named.GetString() == audience,
            JsonValueKind.Array => named.EnumerateArray().Any(one => one.GetString() == audience),
            _ => false,
        };
    }

    private static byte[] Decode(string part) => Base64Url.DecodeFromChars(part);

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static long? Seconds(JsonElement json, string name)
    {
        if (!json.TryGetProperty(name, out var value)) return null;
        var seconds = value.GetDouble();
        // Years far beyond any token, so that the sums above cannot overflow.
        return seconds is >= 0 and < 1e11 ? (long)seconds : throw new FormatException($"{name} is no time");
    }
}
