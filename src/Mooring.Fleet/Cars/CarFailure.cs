namespace Mooring.Fleet.Cars;

/// <summary>Why a car was last in ERROR, and since when.</summary>
internal sealed record CarFailure(string Reason, DateTimeOffset At);
