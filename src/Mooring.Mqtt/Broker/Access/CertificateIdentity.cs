namespace Mooring.Mqtt.Broker;

/// <summary>Which part of a client's certificate is its user name.</summary>
public enum CertificateIdentity
{
    /// <summary>The subject's only common name (CN).</summary>
    CommonName,

    /// <summary>The first DNS name, else URI, else mail address among the subject's alternative names (SAN).</summary>
    AlternativeName,
}
