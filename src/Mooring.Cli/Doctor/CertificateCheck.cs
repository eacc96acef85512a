using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Mooring.Kernel.Tls;

namespace Mooring.Cli.Doctor;

/// <summary>Certificates: do they belong to their keys, how long are they good, who trusts them, who can read the keys.</summary>
internal static class CertificateCheck
{
    private const string Name = "certificates";

    /// <summary>A renewal that fails should be seen before it matters.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromDays(21);

    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.OtherRead | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <param name="all">Certificates, with the words that a user knows them by.</param>
    /// <param name="now">The time.</param>
    internal static IEnumerable<Finding> Run(IReadOnlyList<(string What, TlsFiles Files)> all, DateTimeOffset now) => all.Count == 0
        ? [Finding.Good(Name, "none are configured; development certificates are made when they are needed")]
        : all.SelectMany(one => Look(one.What, one.Files, now));

    private static IEnumerable<Finding> Look(string what, TlsFiles files, DateTimeOffset now)
    {
        TlsMaterial material;
        try
        {
            material = PemFiles.Load(files, now);
        }
        catch (TlsMaterialException exception)
        {
            return [Finding.Bad(Name, $"{what}: {exception.Message}", "give a certificate and its key as PEM files")];
        }
        List<Finding> found = [.. material.Certificate is { } certificate ? [Ends(what, certificate, now), .. Trust(what, material, certificate)] : Array.Empty<Finding>()];
        if (!OperatingSystem.IsWindows() && (files.Key ?? files.Certificate) is { } key && (File.GetUnixFileMode(key) & Others) != 0)
            found.Add(Finding.Odd(Name, $"{what}: the key '{key}' can be read by other users", $"chmod 600 '{key}'"));
        return found;
    }

    private static Finding Ends(string what, X509Certificate2 certificate, DateTimeOffset now)
    {
        var (from, to) = (certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
        var until = to.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        return to < now.UtcDateTime ? Finding.Bad(Name, $"{what}: expired on {until}", "renew it; the files are read again by themselves")
            : from > now.UtcDateTime ? Finding.Bad(Name, $"{what}: not good before {from:yyyy-MM-dd}", "check the clock, or wait")
            : to - now.UtcDateTime < Soon ? Finding.Odd(Name, $"{what}: expires on {until}", "renew it")
            : Finding.Good(Name, $"{what}: good until {until}");
    }

    private static IEnumerable<Finding> Trust(string what, TlsMaterial material, X509Certificate2 certificate)
    {
        // An authority of one's own is trusted by being given to clients, and by nobody else.
        if (certificate.Subject == certificate.Issuer) yield break;
        using var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ExtraStore.AddRange(material.Intermediates);
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        if (chain.Build(certificate)) yield break;
        var isWhole = chain.ChainStatus.All(status => status.Status is X509ChainStatusFlags.UntrustedRoot);
        yield return Finding.Odd(Name, isWhole
            ? $"{what}: its authority is not one that this machine trusts"
            : $"{what}: its chain is not whole", isWhole
            ? "give clients the authority's certificate"
            : "put the intermediate certificates into the same file, or give clients the authority's certificate");
    }
}
