using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Mooring.Kernel.Tls;

/// <summary>Loads PEM files, and certificates in PKCS #12. Whatever is wrong with them is one line that names the file.</summary>
public static class PemFiles
{
    /// <summary>Larger files are no PEM files; the largest bundles of authorities have some hundred kilobytes.</summary>
    public const int FileBytesMax = 4 * 1024 * 1024;

    /// <summary>Loads and checks everything.</summary>
    /// <param name="files">Where the files are.</param>
    /// <param name="now">The moment for which the dates are judged.</param>
    /// <returns>The material.</returns>
    /// <exception cref="TlsMaterialException">A file is missing, is not PEM, or key and certificate do not belong together.</exception>
    public static TlsMaterial Load(TlsFiles files, DateTimeOffset now) => Parse(files, Read(files), now);

    internal static TlsFileContents Read(TlsFiles files) => new(
        files.Certificate is null ? null : Pkcs12File.IsOne(files.Certificate) ? Pkcs12File.ReadAsPem(files.Certificate, files.Password) : ReadText(files.Certificate),
        files.Key is null ? null : ReadText(files.Key),
        files.Authorities is null ? null : ReadText(files.Authorities),
        files.Revocations is null ? null : ReadText(files.Revocations));

    internal static TlsMaterial Parse(TlsFiles files, TlsFileContents contents, DateTimeOffset now)
    {
        var warnings = new List<string>();
        X509Certificate2? certificate = null;
        X509Certificate2Collection intermediates = [];
        if (files.Certificate is { } path)
        {
            var all = Certificates(path, contents.Certificate!);
            certificate = WithKey(all[0], path, files.Key ?? path, contents.Key ?? contents.Certificate!, files.Password);
            for (var i = 1; i < all.Count; i++) intermediates.Add(all[i]);
            CheckDates(path, certificate, now, warnings);
        }
        else if (files.Key is not null) throw new TlsMaterialException($"the key '{files.Key}' is given without a certificate");

        X509Certificate2Collection? authorities = null;
        if (files.Authorities is { } bundle)
        {
            authorities = Certificates(bundle, contents.Authorities!);
            foreach (var authority in authorities) CheckDates(bundle, authority, now, warnings);
        }
        var revocations = files.Revocations is { } lists ? Revocations(lists, contents.Revocations!, authorities, now, warnings) : [];
        return new TlsMaterial(certificate, intermediates, authorities, revocations, warnings);
    }

    private static List<RevocationList> Revocations(
        string path, string pem, X509Certificate2Collection? authorities, DateTimeOffset now, List<string> warnings)
    {
        if (authorities is null) throw new TlsMaterialException($"the revocation lists '{path}' are given without the authorities that issue them");
        var lists = new List<RevocationList>();
        ReadOnlySpan<char> rest = pem;
        while (PemEncoding.TryFind(rest, out var fields))
        {
            if (rest[fields.Label].SequenceEqual("X509 CRL"))
            {
                try
                {
                    lists.Add(RevocationList.Parse(Convert.FromBase64String(rest[fields.Base64Data].ToString()), authorities));
                }
                catch (TlsMaterialException exception)
                {
                    throw new TlsMaterialException($"'{path}' {exception.Message}");
                }
            }
            rest = rest[fields.Location.End..];
        }
        if (lists.Count == 0) throw new TlsMaterialException($"'{path}' contains no revocation list (no 'BEGIN X509 CRL' line)");
        // An old list still tells who was withdrawn; without it they would be let in, and to let nobody in would stop a fleet.
        foreach (var list in lists.Where(list => list.NextUpdate < now))
            warnings.Add(string.Create(CultureInfo.InvariantCulture, $"a revocation list in '{path}' should have been renewed on {list.NextUpdate:yyyy-MM-dd HH:mm} UTC"));
        return lists;
    }

    private static string ReadText(string path) => Encoding.UTF8.GetString(ReadBytes(path));

    internal static byte[] ReadBytes(string path)
    {
        try
        {
            if (Directory.Exists(path)) throw new TlsMaterialException($"'{path}' is a folder, not a PEM file");
            if (new FileInfo(path) is { Exists: true, Length: > FileBytesMax })
                throw new TlsMaterialException($"'{path}' is larger than {FileBytesMax} bytes: not a PEM file");
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new TlsMaterialException($"'{path}' does not exist");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TlsMaterialException($"'{path}' cannot be read: {e.Message}");
        }
    }

    private static X509Certificate2Collection Certificates(string path, string pem)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(pem);
        }
        catch (CryptographicException)
        {
            throw new TlsMaterialException($"'{path}' contains a damaged certificate");
        }
        return certificates.Count > 0
            ? certificates
            : throw new TlsMaterialException($"'{path}' contains no certificate (no 'BEGIN CERTIFICATE' line)");
    }

    private static X509Certificate2 WithKey(X509Certificate2 certificate, string path, string keyPath, string keyPem, string? password)
    {
        if (keyPem.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal))
            throw new TlsMaterialException($"the key in '{keyPath}' is encrypted in an old form; convert it with 'openssl pkcs8 -topk8'");
        if (keyPem.Contains("BEGIN ENCRYPTED PRIVATE KEY", StringComparison.Ordinal)) return WithEncryptedKey(certificate, keyPath, keyPem, password);
        if (!keyPem.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
            throw new TlsMaterialException($"'{keyPath}' contains no private key (no 'BEGIN PRIVATE KEY' line)");
        try
        {
            return X509Certificate2.CreateFromPem(certificate.ExportCertificatePem(), keyPem);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new TlsMaterialException($"the key in '{keyPath}' does not belong to the certificate in '{path}', or is damaged");
        }
    }

    private static X509Certificate2 WithEncryptedKey(X509Certificate2 certificate, string keyPath, string keyPem, string? password)
    {
        if (password is null)
            throw new TlsMaterialException($"the key in '{keyPath}' is encrypted and no password is given; store it without one, readable by its owner only, or give its password where there is a setting for it");
        try
        {
            return X509Certificate2.CreateFromEncryptedPem(certificate.ExportCertificatePem(), keyPem, password);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new TlsMaterialException($"the key in '{keyPath}' is not opened by the password, or does not belong to the certificate");
        }
    }

    private static void CheckDates(string path, X509Certificate2 certificate, DateTimeOffset now, List<string> warnings)
    {
        var name = certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);
        if (certificate.NotAfter.ToUniversalTime() < now.UtcDateTime)
            warnings.Add(string.Create(CultureInfo.InvariantCulture,
                $"the certificate '{name}' in '{path}' expired on {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm} UTC"));
        else if (certificate.NotBefore.ToUniversalTime() > now.UtcDateTime)
            warnings.Add(string.Create(CultureInfo.InvariantCulture,
                $"the certificate '{name}' in '{path}' is not valid before {certificate.NotBefore.ToUniversalTime():yyyy-MM-dd HH:mm} UTC"));
    }
}
