using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mooring.Mqtt.Broker;
using Mooring.Mqtt.Broker.Access;

namespace Mooring.Mqtt.Tests.Access;

public sealed class CertificateNameTests
{
    [Theory]
    [InlineData("CN=car1", "car1")]
    [InlineData("CN=acme/car1", "acme/car1")]
    [InlineData("O=CN\\=evil, CN=car1, OU=x", "car1")]
    [InlineData("CN=\"car1, CN=admin\"", "car1, CN=admin")]
    [InlineData("CN=car1, CN=admin", null)]
    [InlineData("O=acme", null)]
    [InlineData("CN=žluťoučký", "žluťoučký")]
    [InlineData("CN=a\u0001b", null)]
    public void CommonName_IsReadFromTheStructure(string subject, string? expected)
    {
        using var certificate = Make(subject, null);
        Assert.Equal(expected, CertificateName.Read(certificate, CertificateIdentity.CommonName));
    }

    [Fact]
    public void AlternativeName_IsTheFirstDnsName_ThenUri_ThenMail()
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddEmailAddress("car1@acme.example");
        names.AddUri(new Uri("urn:acme:car1"));
        using var without = Make("CN=x", names);
        Assert.Equal("urn:acme:car1", CertificateName.Read(without, CertificateIdentity.AlternativeName));
        names.AddDnsName("car1.acme.example");
        names.AddDnsName("second.acme.example");
        using var with = Make("CN=x", names);
        Assert.Equal("car1.acme.example", CertificateName.Read(with, CertificateIdentity.AlternativeName));
    }

    [Fact]
    public void NoAlternativeName_IsNoName()
    {
        using var certificate = Make("CN=x", null);
        Assert.Null(CertificateName.Read(certificate, CertificateIdentity.AlternativeName));
    }

    private static X509Certificate2 Make(string subject, SubjectAlternativeNameBuilder? names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        if (names is not null) request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(TimeProvider.System.GetUtcNow(), TimeProvider.System.GetUtcNow().AddDays(1));
    }
}
