namespace Mooring.Kernel.Links;

/// <summary>How long to wait before trying again. A pure decision: no clock, no state, no source of randomness of its own.</summary>
/// <remarks>
/// Full jitter: the wait is drawn from the whole range between nothing and the exponential ceiling, because many peers
/// lose one server in the same instant and would otherwise return in the same instant.
/// </remarks>
public sealed record BackoffPolicy
{
    /// <summary>The policy for links to servers of our own: 1 s doubling to 60 s, full jitter.</summary>
    public static BackoffPolicy Default { get; } = new();

    /// <summary>Ceiling of the first wait. Default 1 s.</summary>
    public TimeSpan First { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Growth of the ceiling from one attempt to the next. Default 2.</summary>
    public double Factor { get; init; } = 2;

    /// <summary>No wait is shorter. Default 100 ms: a peer that refuses at once is not asked in a busy loop.</summary>
    public TimeSpan Minimum { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>No wait is longer; applied last, so nothing can exceed it. Default 60 s.</summary>
    public TimeSpan Cap { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Share of the wait that is random: 1 is full jitter (default), 0 none.</summary>
    public double Jitter { get; init; } = 1;

    /// <summary>
    /// Success must be earned: failures are forgotten only after being up for this long, so that a peer which accepts
    /// and then drops every connection still sees growing waits. Default 30 s.
    /// </summary>
    public TimeSpan StableAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Attempts in a row that may fail before the link gives up; null (default) never gives up.</summary>
    public int? AttemptsMax { get; init; }

    /// <summary>A policy that always waits the same time.</summary>
    /// <param name="delay">The wait.</param>
    /// <returns>The policy.</returns>
    public static BackoffPolicy Fixed(TimeSpan delay) =>
        new() { First = delay, Minimum = delay, Cap = delay, Factor = 1, Jitter = 0 };

    /// <summary>The wait before an attempt.</summary>
    /// <param name="attempt">Which attempt in a row is to come: 1 after the first failure. Smaller numbers count as 1.</param>
    /// <param name="random">A number from 0 to 1; others are brought into that range.</param>
    /// <returns>The wait, between <see cref="Minimum"/> and <see cref="Cap"/>.</returns>
    public TimeSpan Next(int attempt, double random)
    {
        if (double.IsNaN(random)) random = 1;
        random = Math.Clamp(random, 0, 1);

        // Ticks as double: for a large attempt the power is infinite and meets the cap, where a long would wrap. The
        // ceiling meets the cap before the draw too; otherwise every late wait would be exactly the cap, unjittered.
        var ceiling = First.Ticks * Math.Pow(Factor, Math.Max(attempt, 1) - 1);
        if (double.IsNaN(ceiling)) ceiling = 0;
        ceiling = Math.Min(ceiling, Cap.Ticks);
        var ticks = Math.Max(ceiling * (1 - Jitter + (Jitter * random)), Minimum.Ticks);
        return ticks >= Cap.Ticks ? Cap : TimeSpan.FromTicks((long)ticks);
    }

    /// <summary>How many failures in a row count after a connection has ended.</summary>
    /// <param name="failures">Failures in a row before this connection.</param>
    /// <param name="upFor">How long the connection was up; zero when it never was.</param>
    /// <returns>1 when the connection had earned its success, otherwise one more than before.</returns>
    public int FailuresAfter(int failures, TimeSpan upFor) =>
        upFor >= StableAfter && upFor > TimeSpan.Zero ? 1 : failures == int.MaxValue ? failures : failures + 1;
}
