using System.Security.Cryptography;

namespace Mooring.Chat.Access;

/// <summary>
/// A key that signs tokens. It stands for one algorithm of RFC 7518, and a token must name that one: so nobody makes a public key pass for
/// the secret of HS256, and nobody asks for no signature at all.
/// </summary>
internal sealed class JsonWebKey
{
    internal const string Hs256 = "HS256";
    internal const string Rs256 = "RS256";
    internal const string Es256 = "ES256";

    /// <summary>RFC 7518, 3.2: a key of the size of the hash, at least.</summary>
    internal const int SecretBytesMin = 32;

    /// <summary>RFC 7518, 3.3.</summary>
    internal const int RsaBitsMin = 2048;

    private readonly byte[]? _secret;
    private readonly RSA? _rsa;
    private readonly ECDsa? _curve;

    internal JsonWebKey(string? id, byte[] secret)
    {
        (Id, Algorithm, _secret) = (id, Hs256, secret);
    }

    internal JsonWebKey(string? id, RSA rsa)
    {
        (Id, Algorithm, _rsa) = (id, Rs256, rsa);
    }

    internal JsonWebKey(string? id, ECDsa curve)
    {
        (Id, Algorithm, _curve) = (id, Es256, curve);
    }

    /// <summary>Name of the key (<c>kid</c>); null for one without.</summary>
    internal string? Id { get; }

    internal string Algorithm { get; }

    internal bool Verify(ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
    {
        if (_secret is not null) return CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(_secret, signed), signature);
        // The framework does not promise that one key object serves several threads.
        if (_rsa is not null)
            lock (_rsa) return _rsa.VerifyData(signed, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        lock (_curve!) return _curve.VerifyData(signed, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }
}
