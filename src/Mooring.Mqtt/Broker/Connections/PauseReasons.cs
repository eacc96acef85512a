namespace Mooring.Mqtt.Broker.Connections;

/// <summary>Why a connection is not read.</summary>
[Flags]
internal enum PauseReasons
{
    /// <summary>It is read.</summary>
    None = 0,

    /// <summary>Its password is being checked.</summary>
    Password = 1,

    /// <summary>It has sent its share of this second, or memory is short.</summary>
    Throttled = 2,

    /// <summary>What it publishes goes to a receiver whose queue is nearly full.</summary>
    Crowded = 4,
}
