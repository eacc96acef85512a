namespace Mooring.Tunnel.Client;

/// <summary>How long to wait after a failure, or to give up. A pure decision.</summary>
internal static class ReconnectPolicy
{
    /// <summary>Refusals of no known kind in a row that are tried again; the next one ends the client.</summary>
    internal const int RefusalsMax = 6;

    internal static readonly TimeSpan First = TimeSpan.FromSeconds(1);

    internal static readonly TimeSpan Cap = TimeSpan.FromSeconds(60);

    /// <summary>A gateway that says "for a moment" is believed.</summary>
    internal static readonly TimeSpan GatewayCap = TimeSpan.FromSeconds(10);

    /// <summary>The wait before the next attempt; null to give up.</summary>
    /// <param name="outcome">The last failure.</param>
    /// <param name="failures">Failures in a row, this one included.</param>
    /// <param name="refusals">Counted refusals in a row, this one included.</param>
    /// <param name="random">A number from 0 to 1: many clients lose one server at the same moment.</param>
    public static TimeSpan? Next(TunnelOutcome outcome, int failures, int refusals, double random)
    {
        if (outcome is TunnelOutcome.Terminal or TunnelOutcome.Invalid or TunnelOutcome.Exhausted) return null;
        if (outcome == TunnelOutcome.Refused && refusals > RefusalsMax) return null;
        var cap = outcome == TunnelOutcome.Gateway ? GatewayCap : Cap;
        var seconds = First.TotalSeconds * Math.Pow(2, Math.Min(Math.Max(failures, 1) - 1, 16)) * (0.5 + random);
        return TimeSpan.FromSeconds(Math.Min(seconds, cap.TotalSeconds));
    }
}
