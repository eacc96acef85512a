using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Topics;
using Mooring.Kernel.Tls;

namespace Mooring.Edge.Agent.Hubs;

/// <summary>Warns, in the log and at the hub, before the agent's certificate ends: afterwards no hub lets it in, and somebody must drive there.</summary>
internal sealed partial class CertificateWatch(
    ReloadableCertificate certificate, AgentIdentity identity, IHubOutbox outbox, TimeProvider time, ILogger<CertificateWatch> logger)
{
    private static readonly TimeSpan Period = TimeSpan.FromHours(1);
    private static readonly int[] WarningDays = [1, 7, 30];

    private (string Thumbprint, int Days) _told;

    /// <summary>Watches until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            do Check();
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The agent stops.
        }
    }

    /// <summary>Looks once; each certificate is warned of once at 30, 7 and 1 days.</summary>
    public void Check()
    {
        certificate.ReloadIfChanged();
        var current = certificate.Current.Certificate!;
        DateTimeOffset end = current.NotAfter.ToUniversalTime();
        if (WarningAt(end - time.GetUtcNow()) is not { } days || _told == (current.Thumbprint, days)) return;
        _told = (current.Thumbprint, days);
        var left = Math.Max((end - time.GetUtcNow()).TotalDays, 0);
        LogExpiring(logger, end, (int)left);
        outbox.Emit("certificate_expiring", new JsonObject
        {
            ["agent_id"] = identity.Id, ["not_after"] = end.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture), ["days_left"] = (int)left,
        });
    }

    /// <summary>The warning that is due with so much time left; null when none is.</summary>
    public static int? WarningAt(TimeSpan left)
    {
        foreach (var days in WarningDays)
            if (left <= TimeSpan.FromDays(days)) return days;
        return null;
    }

    [LoggerMessage(7063, LogLevel.Warning, "the agent's certificate ends at {End:u}, in {Days} days: 'mooring hub renew' makes a new one")]
    private static partial void LogExpiring(ILogger logger, DateTimeOffset end, int days);
}
