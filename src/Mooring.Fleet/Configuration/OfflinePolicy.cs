namespace Mooring.Fleet.Configuration;

/// <summary>What happens to commands that no session can carry.</summary>
public enum OfflinePolicy
{
    /// <summary>Dropped when the module's first device connects: stale commands must not move a car.</summary>
    Discard,

    /// <summary>The newest of each device is kept.</summary>
    Newest,

    /// <summary>The newest <see cref="FleetOptions.KeptCommandsMax"/> of each device are kept.</summary>
    Keep,
}
