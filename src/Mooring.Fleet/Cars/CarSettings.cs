namespace Mooring.Fleet.Cars;

/// <summary>What happens to commands that no session can carry.</summary>
internal enum OfflinePolicy
{
    /// <summary>Dropped when the module's first device connects.</summary>
    Discard,

    /// <summary>The newest of each device is kept.</summary>
    Newest,

    /// <summary>The newest <see cref="CarSettings.KeptCommandsMax"/> of each device are kept.</summary>
    Keep,
}

/// <summary>Everything one car needs to know.</summary>
internal sealed record CarSettings
{
    internal required string Company { get; init; }

    internal required string Name { get; init; }

    /// <summary>T: longest wait in each step of the connect sequence, for a gap and for a command response.</summary>
    internal TimeSpan StepTimeout { get; init; } = TimeSpan.FromSeconds(30);

    internal TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>How long ERROR is shown before the car counts as listening again; it listens all the time.</summary>
    internal TimeSpan ErrorShown { get; init; } = TimeSpan.FromSeconds(1);

    internal bool SendInvalidCommand { get; init; }

    /// <summary>Answers only what the original answered: refused devices, repeated CONNECTING and ERROR get nothing.</summary>
    internal bool ReferenceAnswers { get; init; }

    /// <summary>The first normal status defines the sequence, as in the original.</summary>
    internal bool ReferenceOrder { get; init; }

    internal OfflinePolicy Offline { get; init; }

    /// <summary>Commands kept for each device under <see cref="OfflinePolicy.Keep"/>.</summary>
    internal int KeptCommandsMax { get; init; } = 10;

    /// <summary>Commands of all devices of a car that wait for a session: bounds what a chatty module can pile up.</summary>
    internal int PendingCommandsMax { get; init; } = 1000;

    /// <summary>Entries of the mailbox; further messages are dropped and counted.</summary>
    internal int MailboxMax { get; init; } = 1024;

    /// <summary>How far ahead a status may be.</summary>
    internal int StatusWindow { get; init; } = 1000;

    /// <summary>Statuses kept while first commands are exchanged.</summary>
    internal int EarlyStatusesMax { get; init; } = 1000;

    /// <summary>Devices of one Connect.</summary>
    internal int DevicesMax { get; init; } = 1000;

    /// <summary>Largest message of a car; statuses are small, 1 MiB leaves room for pictures.</summary>
    internal int MessageBytesMax { get; init; } = 1 << 20;

    /// <summary>Messages a second that a car may send over a longer time, with as many at once.</summary>
    internal int MessagesPerSecondMax { get; init; } = 100_000;

    /// <summary>Ended sessions that the history keeps.</summary>
    internal int HistoryMax { get; init; } = 16;

    internal string GatewayTopic => $"{Company}/{Name}/module_gateway";

    internal string ServerTopic => $"{Company}/{Name}/external_server";

    internal string NoteTopic => $"{Company}/{Name}/external_server_disconnect";
}
