namespace Mooring.Cli.Access;

/// <summary>Bounds of logging in.</summary>
internal sealed record AccessLimits
{
    internal static AccessLimits Default { get; } = new();

    /// <summary>A session ends after this time, whatever happens: a working day.</summary>
    internal TimeSpan SessionLifetime { get; init; } = TimeSpan.FromHours(12);

    /// <summary>A session ends when it was not used for this time; an open console uses it.</summary>
    internal TimeSpan SessionIdle { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How exactly it is known when a session or token was used last: each note costs a write.</summary>
    internal TimeSpan UseNoted { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Time over which failed attempts are counted.</summary>
    internal TimeSpan FailurePeriod { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Failed attempts of one address: several people behind one router may mistype.</summary>
    internal int FailuresPerAddress { get; init; } = 20;

    /// <summary>Failed attempts on one account, from anywhere: a person gives up earlier.</summary>
    internal int FailuresPerAccount { get; init; } = 10;

    /// <summary>Addresses and accounts that are counted; beyond, the oldest are forgotten.</summary>
    internal int CountersMax { get; init; } = 10_000;

    /// <summary>Passwords that are verified at a time: each takes a tenth of a second of a processor, by design.</summary>
    internal int VerificationsAtOnce { get; init; } = 2;

    /// <summary>Log-ins that may wait for that; more are told to come again.</summary>
    internal int VerificationsWaiting { get; init; } = 16;

    /// <summary>Sessions of one account; the oldest ends when there is one more.</summary>
    internal int SessionsPerAccount { get; init; } = 20;

    /// <summary>Entries of the audit log; the oldest are deleted at a start.</summary>
    internal int AuditEntriesMax { get; init; } = 1_000_000;

    /// <summary>Entries that wait to be written; beyond, requests wait.</summary>
    internal int AuditQueue { get; init; } = 4096;

    /// <summary>Shortest password of a new account.</summary>
    internal const int PasswordLengthMin = 10;

    /// <summary>Longest password: hashing is linear in it.</summary>
    internal const int PasswordLengthMax = 1024;

    /// <summary>Largest body of a log-in.</summary>
    internal const int LoginBytesMax = 8 * 1024;
}
