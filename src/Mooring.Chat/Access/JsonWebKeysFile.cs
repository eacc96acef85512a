using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Mooring.Kernel.Options;

namespace Mooring.Chat.Access;

/// <summary>
/// The file of keys that sign tokens: a JWK Set (RFC 7517), or public keys in PEM. Several keys may be in it, so that a new one can be
/// known before the old one is given up.
/// </summary>
internal static class JsonWebKeysFile
{
    private const string Key = "jwt_key_path";

    /// <summary>Bytes of a file that may be one of keys.</summary>
    private const long BytesMax = 256 * 1024;

    internal static IReadOnlyList<JsonWebKey> Read(string path, OptionsErrors errors)
    {
        try
        {
            if (new FileInfo(path).Length > BytesMax) throw new FormatException($"has more than {BytesMax} bytes");
            var text = File.ReadAllText(path);
            var keys = text.TrimStart().StartsWith('{') ? ReadSet(text) : ReadPem(text);
            return keys.Count > 0 ? keys : throw new FormatException("has no key in it: use a JWK Set, or public keys in PEM");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
        {
            errors.Add(Key, path, exception is FileNotFoundException ? "there is no such file" : exception.Message);
        }
        catch (JsonException exception)
        {
            errors.Add(Key, path, $"line {exception.LineNumber + 1} is not JSON");
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            errors.Add(Key, path, "has a key that cannot be used: RSA, P-256 or an octet sequence are expected");
        }
        return [];
    }

    private static List<JsonWebKey> ReadPem(string text)
    {
        var keys = new List<JsonWebKey>();
        var rest = text.AsSpan();
        while (PemEncoding.TryFind(rest, out var fields))
        {
            var label = rest[fields.Label];
            if (label.EndsWith("PRIVATE KEY")) throw new FormatException("has a private key: the server needs the public one only");
            keys.Add(FromPem(rest[fields.Location]));
            rest = rest[fields.Location.End..];
        }
        return keys;
    }

    private static JsonWebKey FromPem(ReadOnlySpan<char> pem)
    {
        var rsa = RSA.Create();
        try
        {
            rsa.ImportFromPem(pem);
            return new JsonWebKey(null, Checked(rsa));
        }
        catch (CryptographicException)
        {
            rsa.Dispose();
            var curve = ECDsa.Create();
            curve.ImportFromPem(pem);
            return new JsonWebKey(null, Checked(curve));
        }
    }

    private static List<JsonWebKey> ReadSet(string text)
    {
        using var document = JsonDocument.Parse(text);
        if (!document.RootElement.TryGetProperty("keys", out var entries) || entries.ValueKind != JsonValueKind.Array)
            throw new FormatException("is JSON without a list named keys");
        return [.. entries.EnumerateArray().Where(IsForSignatures).Select(FromEntry)];
    }

    private static bool IsForSignatures(JsonElement entry) => Text(entry, "use") is null or "sig";

    private static JsonWebKey FromEntry(JsonElement entry)
    {
        var (id, algorithm) = (Text(entry, "kid"), Text(entry, "alg"));
        var key = Text(entry, "kty") switch
        {
            "oct" => new JsonWebKey(id, Checked(Bytes(entry, "k"))),
            "RSA" => new JsonWebKey(id, Checked(RSA.Create(new RSAParameters { Modulus = Bytes(entry, "n"), Exponent = Bytes(entry, "e") }))),
            "EC" when Text(entry, "crv") == "P-256" => new JsonWebKey(id, ECDsa.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new ECPoint { X = Bytes(entry, "x"), Y = Bytes(entry, "y") },
            })),
            var other => throw new FormatException($"has a key of the kind {other}: use oct, RSA or EC with P-256"),
        };
        return algorithm is null || algorithm == key.Algorithm ? key : throw new FormatException($"has a key for {algorithm}: use HS256, RS256 or ES256");
    }

    private static byte[] Checked(byte[] secret) => secret.Length >= JsonWebKey.SecretBytesMin
        ? secret
        : throw new FormatException($"has a secret of {secret.Length} bytes: use {JsonWebKey.SecretBytesMin} or more");

    private static RSA Checked(RSA rsa) => rsa.KeySize >= JsonWebKey.RsaBitsMin
        ? rsa
        : throw new FormatException($"has an RSA key of {rsa.KeySize} bits: use {JsonWebKey.RsaBitsMin} or more");

    private static ECDsa Checked(ECDsa curve) => curve.ExportParameters(false).Curve.Oid.Value == ECCurve.NamedCurves.nistP256.Oid.Value
        ? curve
        : throw new FormatException("has a key of another curve than P-256");

    private static string? Text(JsonElement entry, string name) =>
        entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static byte[] Bytes(JsonElement entry, string name) =>
        Text(entry, name) is { } text && Base64Url.IsValid(text) ? Base64Url.DecodeFromChars(text) : throw new FormatException($"has a key without {name}");
}
