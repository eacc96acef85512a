using Mooring.Fleet.Configuration;

namespace Mooring.Fleet.Cars;

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

    internal FleetLimits Limits { get; init; } = new();

    internal string GatewayTopic => $"{Company}/{Name}/module_gateway";

    internal string ServerTopic => $"{Company}/{Name}/external_server";

    internal string NoteTopic => $"{Company}/{Name}/external_server_disconnect";
}
