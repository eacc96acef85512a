namespace Mooring.Tunnel.Client.Configuration;

/// <summary>What <c>~/.retunnel.conf</c> says.</summary>
public sealed record ClientSettings
{
    /// <summary>Token of the account; null when there is none.</summary>
    public string? AuthToken { get; init; }

    /// <summary>A key that older programs kept here; null when there is none.</summary>
    public string? ApiKey { get; init; }

    /// <summary>The server; null when the file does not say one.</summary>
    public string? ServerUrl { get; init; }

    /// <summary>Base of the REST API; null when the file does not say one.</summary>
    public string? ApiUrl { get; init; }

    /// <summary>Whether certificates are checked.</summary>
    public bool SslVerify { get; init; } = true;

    /// <summary>Kept for other programs that read the file; bodies are streamed, so nothing here depends on it.</summary>
    public long MaxMessageSize { get; init; } = 10_485_760;
}
