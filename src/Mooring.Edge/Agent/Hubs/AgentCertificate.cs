using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using Mooring.Kernel.Tls;

namespace Mooring.Edge.Agent.Hubs;

/// <summary>The certificate by which hubs know the agent.</summary>
internal static class AgentCertificate
{
    private const string CommonName = "2.5.4.3";

    /// <summary>The files, with the home folder put in for a leading tilde.</summary>
    public static TlsFiles FilesOf(AgentOptions options) => new()
    {
        Certificate = Expand(options.CertificateFile),
        Key = Expand(options.KeyFile),
        Authorities = options.AuthorityFile is { } authorities ? Expand(authorities) : null,
    };

    /// <summary>Reads who the agent is.</summary>
    /// <exception cref="AgentStartException">the files do not say</exception>
    public static string ReadId(TlsFiles files)
    {
        try
        {
            return IdOf(PemFiles.Load(files, TimeProvider.System.GetUtcNow()).Certificate!)
                ?? throw new AgentStartException($"{files.Certificate}: the certificate's subject has no common name (CN), which is the agent's id");
        }
        catch (TlsMaterialException e)
        {
            throw new AgentStartException($"the agent has no identity: {e.Message} ('mooring hub enroll ID' makes its files)");
        }
    }

    /// <summary>The agent's id: the first common name of the subject.</summary>
    /// <returns>The id; null when the certificate has no common name.</returns>
    public static string? IdOf(X509Certificate2 certificate)
    {
        foreach (var name in certificate.SubjectName.EnumerateRelativeDistinguishedNames(reversed: false))
        {
            if (name.HasMultipleElements || name.GetSingleElementType().Value != CommonName) continue;
            try
            {
                return name.GetSingleElementValue();
            }
            catch (AsnContentException)
            {
                return null;
            }
        }
        return null;
    }

    private static string Expand(string path) => path.StartsWith("~/", StringComparison.Ordinal)
        ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), path[2..]) : path;
}
