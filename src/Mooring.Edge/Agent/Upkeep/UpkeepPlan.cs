namespace Mooring.Edge.Agent.Upkeep;

/// <summary>What has to be done for a device.</summary>
internal enum UpkeepStep
{
    /// <summary>All is as it is meant to be.</summary>
    Nothing,

    /// <summary>Somebody else works on it: look again when that has ended.</summary>
    Later,

    /// <summary>It is not meant to exist.</summary>
    Forget,

    /// <summary>It has no container. Nothing is made by itself: an operator decides.</summary>
    ReportMissing,

    /// <summary>It should run and does not.</summary>
    Start,

    /// <summary>It should run, but falls over again and again.</summary>
    GiveUp,

    /// <summary>It was given up a while ago and is tried once more.</summary>
    Retry,

    /// <summary>It was given up, and has run for long enough since.</summary>
    Recover,

    /// <summary>It runs; what it needs around it is not there yet.</summary>
    Attach,
}

/// <summary>What is known of a device when its upkeep is decided.</summary>
internal readonly record struct UpkeepFacts
{
    /// <summary>It is in the registry.</summary>
    public bool IsRegistered { get; init; }

    /// <summary>An operator stopped it.</summary>
    public bool IsStopped { get; init; }

    /// <summary>An operation on it is running.</summary>
    public bool IsBusy { get; init; }

    /// <summary>The engine's word for its state; null when it has no container.</summary>
    public string? Container { get; init; }

    /// <summary>Restarts by the agent that still count.</summary>
    public int RecentRestarts { get; init; }

    /// <summary>It was given up, and is still counted so.</summary>
    public bool HasGivenUp { get; init; }

    /// <summary>It was given up so long ago that it is tried again.</summary>
    public bool IsRetryDue { get; init; }

    /// <summary>What it needs around it is there, for the process that runs now.</summary>
    public bool IsAttached { get; init; }
}

/// <summary>From how a device is meant to be and how it is to the next step. Pure.</summary>
internal static class UpkeepPlan
{
    /// <summary>Restarts within <see cref="RestartWindow"/> after which a device is left alone.</summary>
    public const int MaxRestarts = 5;

    /// <summary>How long a restart counts.</summary>
    public static readonly TimeSpan RestartWindow = TimeSpan.FromSeconds(600);

    /// <summary>Decides.</summary>
    public static UpkeepStep Next(in UpkeepFacts facts)
    {
        if (!facts.IsRegistered) return UpkeepStep.Forget;
        if (facts.IsBusy) return UpkeepStep.Later;
        return facts.Container switch
        {
            null => UpkeepStep.ReportMissing,
            "running" when facts is { HasGivenUp: true, RecentRestarts: 0, IsAttached: true } => UpkeepStep.Recover,
            "running" => facts.IsAttached ? UpkeepStep.Nothing : UpkeepStep.Attach,
            "created" or "exited" or "dead" when facts.IsStopped => UpkeepStep.Nothing,
            "created" or "exited" when facts.HasGivenUp => facts.IsRetryDue ? UpkeepStep.Retry : UpkeepStep.GiveUp,
            "created" or "exited" => facts.RecentRestarts >= MaxRestarts ? UpkeepStep.GiveUp : UpkeepStep.Start,
            // Paused by hand, being removed or restarted by the engine, dead beyond recovery: not ours to change.
            _ => UpkeepStep.Nothing,
        };
    }
}
