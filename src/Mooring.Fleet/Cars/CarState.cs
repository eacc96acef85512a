using System.Collections.Immutable;

namespace Mooring.Fleet.Cars;

/// <summary>The published state of a car. Shown to people; never asked what to do next.</summary>
public enum CarState
{
    /// <summary>The broker has not been reached yet.</summary>
    Uninitialized,

    /// <summary>Listening; waits for Connect or is inside the connect sequence.</summary>
    Connected,

    /// <summary>The connect sequence is complete.</summary>
    Initialized,

    /// <summary>Normal communication.</summary>
    Running,

    /// <summary>Stopped by request.</summary>
    Stopped,

    /// <summary>The last session or sequence failed; the car may connect again at any time.</summary>
    Error,
}

/// <summary>The table of legal moves. Self moves are legal everywhere.</summary>
internal static class CarMoves
{
    internal static readonly ImmutableHashSet<(CarState From, CarState To)> Legal =
    [
        (CarState.Uninitialized, CarState.Connected),
        (CarState.Uninitialized, CarState.Error),
        (CarState.Uninitialized, CarState.Stopped),
        (CarState.Connected, CarState.Initialized),
        (CarState.Connected, CarState.Error),
        (CarState.Connected, CarState.Stopped),
        (CarState.Initialized, CarState.Running),
        (CarState.Initialized, CarState.Error),
        (CarState.Initialized, CarState.Stopped),
        (CarState.Running, CarState.Error),
        (CarState.Running, CarState.Stopped),
        (CarState.Stopped, CarState.Uninitialized),
        (CarState.Error, CarState.Uninitialized),
    ];

    internal static bool IsLegal(CarState from, CarState to) => from == to || Legal.Contains((from, to));
}
