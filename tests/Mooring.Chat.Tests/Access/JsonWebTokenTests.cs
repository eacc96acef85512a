using System.Text;
using System.Text.Json;
using Mooring.Chat.Access;
using Mooring.Kernel.Options;
using Mooring.Testing;

namespace Mooring.Chat.Tests.Access;

/// <summary>
/// Signed tokens. Those of tests/vectors/chat/tokens.json were made by another implementation (node:crypto), right ones and all kinds of
/// wrong ones.
/// </summary>
public sealed class JsonWebTokenTests : IDisposable
{
    // RFC 7515, appendices A.1 and A.3.
    private const string RfcClaims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

    private static readonly JsonElement Vectors = JsonDocument.Parse(File.ReadAllText(RepositoryRoot.Combine("tests/vectors/chat/tokens.json"))).RootElement;

    private readonly string _folder = Directory.CreateTempSubdirectory("chat-jwt-").FullName;

    public static TheoryData<string> Names { get; } = [.. Vectors.GetProperty("tokens").EnumerateArray().Select(token => token.GetProperty("name").GetString()!)];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Names))]
    public void E05_A_token_opens_what_it_says_or_nothing(string name)
    {
        var vector = Vectors.GetProperty("tokens").EnumerateArray().Single(token => token.GetProperty("name").GetString() == name);
        var account = Tokens().Authenticate(vector.GetProperty("token").GetString()!, Vectors.GetProperty("now").GetInt64());
        Assert.Equal(vector.GetProperty("expected").GetString(), account is null ? null : $"{account.Name} {(account.IsOperator ? "operator" : "member")}");
    }

    [Fact]
    public void A_token_changed_in_any_bit_or_cut_anywhere_opens_nothing()
    {
        var (tokens, now) = (Tokens(), Vectors.GetProperty("now").GetInt64());
        foreach (var vector in Vectors.GetProperty("tokens").EnumerateArray().Take(3))
        {
            var token = vector.GetProperty("token").GetString()!;
            for (var length = 0; length < token.Length; length++) Assert.Null(tokens.Authenticate(token[..length], now));
            var random = new Random(7);
            for (var i = 0; i < 500; i++)
            {
                var letters = token.ToCharArray();
                var at = random.Next(letters.Length);
                letters[at] = (char)(letters[at] ^ (1 << random.Next(7)));
                // The last letter of a part has bits that mean nothing.
                if (at + 1 < letters.Length && letters[at + 1] != '.') Assert.Null(tokens.Authenticate(new string(letters), now));
            }
        }
    }

    [Theory]
    [InlineData("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", """
        {"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}
        """)]
    [InlineData("eyJhbGciOiJFUzI1NiJ9", "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q", """
        {"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
        """)]
    public void Signatures_of_the_standard_are_verified(string header, string signature, string key)
    {
        var keys = Read($$"""{"keys":[{{key}}]}""");
        Assert.True(keys.Single().Verify(Encoding.ASCII.GetBytes($"{header}.{RfcClaims}"), System.Buffers.Text.Base64Url.DecodeFromChars(signature)));
        Assert.False(keys.Single().Verify(Encoding.ASCII.GetBytes($"{header}.{RfcClaims}x"), System.Buffers.Text.Base64Url.DecodeFromChars(signature)));
    }

    [Theory]
    [InlineData("""{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}""", "a secret of 5 bytes")]
    [InlineData("""{"keys":[{"kty":"oct"}]}""", "a key without k")]
    [InlineData("""{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}""", "the kind OKP")]
    [InlineData("""{"keys":[]}""", "no key in it")]
    [InlineData("""{"keys":1}""", "without a list named keys")]
    [InlineData("""{"keys":""", "is not JSON")]
    [InlineData("nonsense", "no key in it")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "private key")]
    public void A_file_of_keys_that_cannot_be_used_is_told_with_its_reason(string text, string reason)
    {
        var error = Assert.Throws<ConfigurationException>(() => Read(text));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("jwt_key_path", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Public_keys_in_pem_are_taken_and_weak_ones_refused()
    {
        using var rsa = System.Security.Cryptography.RSA.Create(2048);
        using var curve = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        using var weak = System.Security.Cryptography.RSA.Create(1024);
        using var other = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP384);
        var keys = Read(rsa.ExportSubjectPublicKeyInfoPem() + "\n" + curve.ExportSubjectPublicKeyInfoPem());
        Assert.Equal([JsonWebKey.Rs256, JsonWebKey.Es256], keys.Select(key => key.Algorithm));
        Assert.Contains("1024 bits", Assert.Throws<ConfigurationException>(() => Read(weak.ExportSubjectPublicKeyInfoPem())).Message, StringComparison.Ordinal);
        Assert.Contains("another curve", Assert.Throws<ConfigurationException>(() => Read(other.ExportSubjectPublicKeyInfoPem())).Message, StringComparison.Ordinal);
    }

    private JsonWebTokens Tokens() => new(
        Read($$"""{"keys":{{Vectors.GetProperty("keys").GetRawText()}}}"""), Vectors.GetProperty("issuer").GetString(), Vectors.GetProperty("audience").GetString());

    private IReadOnlyList<JsonWebKey> Read(string text)
    {
        var path = Path.Combine(_folder, "keys");
        File.WriteAllText(path, text);
        var errors = new OptionsErrors();
        var keys = JsonWebKeysFile.Read(path, errors);
        errors.ThrowIfAny("");
        return keys;
    }
}
