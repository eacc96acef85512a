using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mooring.Kernel.Tls;

/// <summary>
/// The certificates that one authority has withdrawn (RFC 5280, section 5), signed by that authority. Immutable.
/// </summary>
internal sealed class RevocationList
{
    private const string ExtensionDeltaIndicator = "2.5.29.27";

    private readonly byte[] _issuer;
    private readonly HashSet<BigInteger> _serials;

    private RevocationList(byte[] issuer, HashSet<BigInteger> serials, DateTimeOffset? nextUpdate) =>
        (_issuer, _serials, NextUpdate) = (issuer, serials, nextUpdate);

    /// <summary>When its authority is to issue the next one.</summary>
    internal DateTimeOffset? NextUpdate { get; }

    internal int Count => _serials.Count;

    /// <summary>Whether this list speaks of the certificate's issuer, and names the certificate.</summary>
    internal bool Contains(X509Certificate2 certificate) =>
        certificate.IssuerName.RawData.AsSpan().SequenceEqual(_issuer)
        && _serials.Contains(new BigInteger(certificate.SerialNumberBytes.Span, isUnsigned: true, isBigEndian: true));

    /// <summary>Reads one list and checks its signature.</summary>
    /// <param name="der">CertificateList in DER.</param>
    /// <param name="authorities">Where its issuer must be among.</param>
    /// <exception cref="TlsMaterialException">It is damaged, of nobody of these, or not signed by it.</exception>
    internal static RevocationList Parse(byte[] der, X509Certificate2Collection authorities)
    {
        try
        {
            var list = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
            var signed = list.PeekEncodedValue();
            var read = ReadSigned(list.ReadSequence());
            var algorithm = list.ReadSequence().ReadObjectIdentifier();
            var signature = list.ReadBitString(out _);
            list.ThrowIfNotEmpty();
            Verify(read._issuer, signed.Span, algorithm, signature, authorities);
            return read;
        }
        catch (AsnContentException)
        {
            throw new TlsMaterialException("contains a damaged revocation list");
        }
    }

    // TBSCertList of RFC 5280, section 5.1.
    private static RevocationList ReadSigned(AsnReader list)
    {
        if (list.PeekTag().HasSameClassAndValue(Asn1Tag.Integer)) list.ReadInteger();
        list.ReadSequence();
        var issuer = list.ReadEncodedValue().ToArray();
        ReadTime(list);
        DateTimeOffset? next = list.HasData && IsTime(list.PeekTag()) ? ReadTime(list) : null;
        var serials = new HashSet<BigInteger>();
        if (list.HasData && list.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence))
        {
            var entries = list.ReadSequence();
            while (entries.HasData) serials.Add(entries.ReadSequence().ReadInteger());
        }
        if (list.HasData) ReadExtensions(list.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0)).ReadSequence());
        list.ThrowIfNotEmpty();
        return new RevocationList(issuer, serials, next);
    }

    /// <summary>A list of changes only would leave out what was withdrawn before.</summary>
    private static void ReadExtensions(AsnReader extensions)
    {
        while (extensions.HasData)
        {
            if (extensions.ReadSequence().ReadObjectIdentifier() == ExtensionDeltaIndicator)
                throw new TlsMaterialException("contains a list of changes (delta CRL); a complete list is needed");
        }
    }

    private static bool IsTime(Asn1Tag tag) => tag.HasSameClassAndValue(Asn1Tag.UtcTime) || tag.HasSameClassAndValue(Asn1Tag.GeneralizedTime);

    private static DateTimeOffset ReadTime(AsnReader reader) =>
        reader.PeekTag().HasSameClassAndValue(Asn1Tag.UtcTime) ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();

    private static void Verify(
        byte[] issuer, ReadOnlySpan<byte> signed, string algorithm, byte[] signature, X509Certificate2Collection authorities)
    {
        var isKnown = false;
        foreach (var authority in authorities)
        {
            if (!authority.SubjectName.RawData.AsSpan().SequenceEqual(issuer)) continue;
            isKnown = true;
            if (IsSignedBy(authority, signed, algorithm, signature)) return;
        }
        throw new TlsMaterialException(
            isKnown
                ? "contains a revocation list that its authority has not signed"
                : $"contains a revocation list of '{new X500DistinguishedName(issuer).Name}', which is none of the authorities of the clients");
    }

    // RFC 4055 and RFC 5758.
    private static bool IsSignedBy(X509Certificate2 authority, ReadOnlySpan<byte> signed, string algorithm, byte[] signature)
    {
        using var rsa = authority.GetRSAPublicKey();
        using var ecdsa = authority.GetECDsaPublicKey();
        return algorithm switch
        {
            "1.2.840.113549.1.1.11" => rsa?.VerifyData(signed, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1) == true,
            "1.2.840.113549.1.1.12" => rsa?.VerifyData(signed, signature, HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1) == true,
            "1.2.840.113549.1.1.13" => rsa?.VerifyData(signed, signature, HashAlgorithmName.SHA512, RSASignaturePadding.Pkcs1) == true,
            "1.2.840.10045.4.3.2" => ecdsa?.VerifyData(signed, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence) == true,
            "1.2.840.10045.4.3.3" => ecdsa?.VerifyData(signed, signature, HashAlgorithmName.SHA384, DSASignatureFormat.Rfc3279DerSequence) == true,
            "1.2.840.10045.4.3.4" => ecdsa?.VerifyData(signed, signature, HashAlgorithmName.SHA512, DSASignatureFormat.Rfc3279DerSequence) == true,
            _ => throw new TlsMaterialException(
                $"contains a revocation list signed with {algorithm}; RSA and ECDSA with SHA-256, SHA-384 or SHA-512 are allowed"),
        };
    }
}
