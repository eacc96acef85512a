namespace Mooring.Kernel.Tls;

/// <summary>Where the PEM files of one end of a TLS connection are.</summary>
public sealed record TlsFiles
{
    /// <summary>The certificate, followed by its intermediates; null for a client that shows none.</summary>
    public string? Certificate { get; init; }

    /// <summary>The certificate's private key, not encrypted. Null looks for it in the certificate's file.</summary>
    public string? Key { get; init; }

    /// <summary>The authorities that the other end's certificate must come from. Null: those of the system.</summary>
    public string? Authorities { get; init; }

    /// <summary>Certificates that those authorities have withdrawn: their revocation lists (CRL). Null: none.</summary>
    public string? Revocations { get; init; }
}
