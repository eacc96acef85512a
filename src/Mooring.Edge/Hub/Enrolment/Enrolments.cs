using System.Security.Cryptography.X509Certificates;
using Mooring.Edge.Hub.Store;
using Mooring.Kernel.Files;

namespace Mooring.Edge.Hub.Enrolment;

/// <summary>Gives agents their certificates, and takes them away. Used by the running hub and by <c>mooring hub enroll</c> beside it.</summary>
internal sealed class Enrolments(HubStore store, AgentAuthority authority, TimeProvider time)
{
    /// <summary>Makes key and certificate for an agent, new or known; an older certificate is no longer taken.</summary>
    public async Task<(AgentRecord Agent, string CertificatePem, string KeyPem)> IssueAsync(string id, string? name, CancellationToken cancellationToken)
    {
        var (certificate, certificatePem, keyPem) = authority.Issue(id);
        using (certificate)
            return (await SaveAsync(id, name, certificate, isClaimed: true, isPinned: false, cancellationToken), certificatePem, keyPem);
    }

    /// <summary>Notes a certificate as the only one that an agent may show.</summary>
    public async Task<AgentRecord> SaveAsync(
        string id, string? name, X509Certificate2 certificate, bool isClaimed, bool isPinned, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var agent = new AgentRecord(
            id, name ?? id, AgentAuthority.FingerprintOf(certificate), new DateTimeOffset(certificate.NotAfter.ToUniversalTime(), TimeSpan.Zero), isPinned,
            now, isClaimed ? now : null, null, null);
        await store.SaveCertificateAsync(agent, cancellationToken);
        return await store.AgentAsync(id, cancellationToken) ?? agent;
    }

    /// <summary>Writes the three files that an agent needs, as it looks for them: client.crt, client.key, ca.crt.</summary>
    public void WriteFiles(string folder, string certificatePem, string keyPem)
    {
        Directory.CreateDirectory(folder);
        // The key first: a certificate without its key would stop an agent that looks in between.
        AtomicFile.Write(Path.Combine(folder, "client.key"), keyPem, AtomicFileOptions.Private);
        AtomicFile.Write(Path.Combine(folder, "client.crt"), certificatePem, AtomicFileOptions.Private);
        AtomicFile.Write(Path.Combine(folder, "ca.crt"), File.ReadAllText(authority.AuthorityPath), AtomicFileOptions.Private);
    }
}
