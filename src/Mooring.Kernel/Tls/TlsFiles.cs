namespace Mooring.Kernel.Tls;

/// <summary>Where the files of one end of a TLS connection are: PEM, or a certificate with its key in PKCS #12.</summary>
public sealed record TlsFiles
{
    /// <summary>The certificate, followed by its intermediates; null for a client that shows none. With the ending .pfx or .p12 it is PKCS #12.</summary>
    public string? Certificate { get; init; }

    /// <summary>The certificate's private key. Null looks for it in the certificate's file.</summary>
    public string? Key { get; init; }

    /// <summary>Opens an encrypted key or a PKCS #12 file; null for files without a password.</summary>
    public string? Password { get; init; }

    /// <summary>The authorities that the other end's certificate must come from. Null: those of the system.</summary>
    public string? Authorities { get; init; }

    /// <summary>Certificates that those authorities have withdrawn: their revocation lists (CRL). Null: none.</summary>
    public string? Revocations { get; init; }
}
