namespace Mooring.Cli.Hosting.Bridges;

/// <summary>Bounds of the bridges.</summary>
internal static class BridgeLimits
{
    /// <summary>Events of the same kind within this time become one line; short enough for a person not to notice.</summary>
    internal static readonly TimeSpan Gathering = TimeSpan.FromSeconds(1);

    /// <summary>Longest time that a command waits for another system, such as an agent.</summary>
    internal static readonly TimeSpan AnswerWait = TimeSpan.FromSeconds(30);

    /// <summary>Messages that may go out at once before the rate counts.</summary>
    internal const int Burst = 5;

    /// <summary>Kinds of events that wait for their turn in one room; more are only counted.</summary>
    internal const int KindsMax = 16;

    /// <summary>Rooms that are posted in; a configuration with more rules than that is not read along by people.</summary>
    internal const int RulesMax = 64;

    /// <summary>Names that one line tells.</summary>
    internal const int SubjectsMax = 5;

    /// <summary>Commands that may wait; further ones are not answered.</summary>
    internal const int CommandsWaitingMax = 64;

    /// <summary>Commands that are answered at the same time, so that one slow agent holds up no look at the cars.</summary>
    internal const int CommandsAtOnce = 4;

    /// <summary>Messages of one answer; what is left is counted.</summary>
    internal const int AnswerMessagesMax = 10;
}
