namespace Mooring.Kernel.Tls;

/// <summary>The texts of the files, to see whether they have changed.</summary>
internal sealed record TlsFileContents(string? Certificate, string? Key, string? Authorities, string? Revocations);
