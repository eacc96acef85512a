namespace Mooring.Fleet.Modules.Calls;

/// <summary>What modules may use, so that no module takes the others' share.</summary>
internal sealed record ModuleLimits
{
    /// <summary>Calls of one library that may block at a time; beyond it, further cars of that library wait.</summary>
    internal int CallThreads { get; init; } = 64;

    /// <summary>Calls that wait while one of the same car and module runs. A gateway waits for every answer, so more is a hung module.</summary>
    internal int WaitingCalls { get; init; } = 64;

    /// <summary>
    /// So long a car waits for its module. A gateway drops the whole car after 30 s without an answer, so that one hung
    /// module would cost the devices of all others.
    /// </summary>
    internal TimeSpan CallMax { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>A module whose call took longer gets its calls on threads of its own library for <see cref="SlowFor"/>.</summary>
    internal TimeSpan QuickMax { get; init; } = TimeSpan.FromMilliseconds(2);

    /// <summary>How long a slow module is kept off the threads that all cars share.</summary>
    internal TimeSpan SlowFor { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Calls in progress on threads that all cars share: a library that hangs for the first time takes no more of them.</summary>
    internal int SharedCalls { get; init; } = Environment.ProcessorCount;

    /// <summary>How long the start of one module may take; many ask a server in it.</summary>
    internal TimeSpan InitMax { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a stop waits for a call that runs; a module that hangs keeps its context until the process ends.</summary>
    internal TimeSpan StopMax { get; init; } = TimeSpan.FromMilliseconds(1500);

    /// <summary>Commands that one poll takes from one module before the next module gets its turn.</summary>
    internal int CommandsPerPoll { get; init; } = 100;

    /// <summary>A poll with a time-out of 0 that takes longer blocks; its car and module get a thread of their own.</summary>
    internal TimeSpan BlockingAfter { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Threads for modules that block in spite of a time-out of 0. One for each car is what such a library demands.</summary>
    internal int BlockingThreads { get; init; } = 1024;

    /// <summary>Longest pause after failed polls; it begins with a tenth of a second and doubles.</summary>
    internal TimeSpan PollPauseMax { get; init; } = TimeSpan.FromSeconds(5);
}
