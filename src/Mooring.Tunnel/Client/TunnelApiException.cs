using System.Globalization;

namespace Mooring.Tunnel.Client;

/// <summary>The REST API answered with an error, or not at all.</summary>
/// <param name="status">HTTP status; 0 when there was no answer.</param>
/// <param name="detail">What the server said.</param>
/// <param name="retryAfter">When to try again, if the server said so.</param>
/// <param name="cause">What lies below.</param>
public sealed class TunnelApiException(int status, string detail, TimeSpan? retryAfter, Exception? cause = null)
    : Exception(status == 0 ? detail : string.Create(CultureInfo.InvariantCulture, $"API Error {status}: {detail}"), cause)
{
    /// <summary>HTTP status; 0 when there was no answer.</summary>
    public int Status { get; } = status;

    /// <summary>What the server said.</summary>
    public string Detail { get; } = detail;

    /// <summary>When to try again, if the server said so.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>The server refuses for now.</summary>
    public bool IsTransient => Status is 429 or 503;
}
