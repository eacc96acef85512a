namespace Mooring.Fleet.Configuration;

/// <summary>One car, as configured.</summary>
public sealed record CarOptions
{
    /// <summary>Second level of its topics.</summary>
    public required string Name { get; init; }

    /// <summary>A disabled car is known but not listened to.</summary>
    public bool IsEnabled { get; init; } = true;

    /// <summary>Its own modules, then those of all cars.</summary>
    public IReadOnlyList<ModuleOptions> Modules { get; init; } = [];

    /// <inheritdoc/>
    public bool Equals(CarOptions? other) =>
        other is not null && Name == other.Name && IsEnabled == other.IsEnabled && Modules.SequenceEqual(other.Modules);

    /// <inheritdoc/>
    public override int GetHashCode() => Name.GetHashCode(StringComparison.Ordinal);
}
