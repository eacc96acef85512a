using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker.Access;

/// <summary>The user name that a client's certificate stands for, read from its structure and never searched for in text.</summary>
internal static class CertificateName
{
    private const string CommonName = "2.5.4.3";
    private const string SubjectAlternativeName = "2.5.29.17";
    private static readonly Asn1Tag EMailTag = new(TagClass.ContextSpecific, 1);
    private static readonly Asn1Tag DnsTag = new(TagClass.ContextSpecific, 2);
    private static readonly Asn1Tag UriTag = new(TagClass.ContextSpecific, 6);

    /// <summary>Null when the certificate has no such name, has several, or one that is no plain text.</summary>
    internal static string? Read(X509Certificate2 certificate, CertificateIdentity from)
    {
        var name = from == CertificateIdentity.CommonName ? ReadCommonName(certificate) : ReadAlternativeName(certificate);
        if (string.IsNullOrEmpty(name)) return null;
        var utf8 = Encoding.UTF8.GetBytes(name);
        return Utf8Text.IsValid(utf8) && !Utf8Text.HasDiscouragedCharacters(utf8) ? name : null;
    }

    private static string? ReadCommonName(X509Certificate2 certificate)
    {
        string? name = null;
        foreach (var part in certificate.SubjectName.EnumerateRelativeDistinguishedNames())
        {
            if (part.HasMultipleElements || part.GetSingleElementType().Value != CommonName) continue;
            if (name is not null) return null;
            name = part.GetSingleElementValue();
        }
        return name;
    }

    /// <summary>RFC 5280 4.2.1.6: the first DNS name, URI or mail address, in this order.</summary>
    private static string? ReadAlternativeName(X509Certificate2 certificate)
    {
        if (certificate.Extensions[SubjectAlternativeName] is not { } extension) return null;
        string? dns = null, uri = null, mail = null;
        try
        {
            var names = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
            while (names.HasData)
            {
                var tag = names.PeekTag();
                if (tag == DnsTag && dns is null) dns = names.ReadCharacterString(UniversalTagNumber.IA5String, DnsTag);
                else if (tag == UriTag && uri is null) uri = names.ReadCharacterString(UniversalTagNumber.IA5String, UriTag);
                else if (tag == EMailTag && mail is null) mail = names.ReadCharacterString(UniversalTagNumber.IA5String, EMailTag);
                else names.ReadEncodedValue();
            }
        }
        catch (Exception exception) when (exception is AsnContentException or CryptographicException)
        {
            return null;
        }
        return dns ?? uri ?? mail;
    }
}
