using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Mooring.Kernel.Tls;

/// <summary>A certificate, its chain and its key in one file (PKCS #12, RFC 7292), read into the PEM form that everything else stands on.</summary>
internal static class Pkcs12File
{
    internal static bool IsOne(string path) =>
        path.EndsWith(".pfx", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".p12", StringComparison.OrdinalIgnoreCase);

    internal static string ReadAsPem(string path, string? password)
    {
        var bytes = PemFiles.ReadBytes(path);
        try
        {
            var certificates = X509CertificateLoader.LoadPkcs12Collection(bytes, password, X509KeyStorageFlags.Exportable | X509KeyStorageFlags.EphemeralKeySet);
            var leaf = certificates.FirstOrDefault(certificate => certificate.HasPrivateKey)
                ?? throw new TlsMaterialException($"'{path}' contains no private key");
            var pem = new StringBuilder().AppendLine(leaf.ExportCertificatePem());
            foreach (var certificate in certificates.Where(certificate => certificate != leaf)) pem.AppendLine(certificate.ExportCertificatePem());
            return pem.AppendLine(KeyOf(leaf, path)).ToString();
        }
        catch (CryptographicException)
        {
            throw new TlsMaterialException($"'{path}' is not opened by {(password is null ? "an empty password" : "the password")}, or is no PKCS #12 file");
        }
    }

    private static string KeyOf(X509Certificate2 certificate, string path)
    {
        using AsymmetricAlgorithm? key = (AsymmetricAlgorithm?)certificate.GetRSAPrivateKey() ?? certificate.GetECDsaPrivateKey();
        return key?.ExportPkcs8PrivateKeyPem() ?? throw new TlsMaterialException($"'{path}' contains a key that is neither RSA nor ECDSA");
    }
}
