namespace Mooring.Fleet.Configuration;

/// <summary>One module of one car, as configured.</summary>
public sealed record ModuleOptions
{
    /// <summary>Module number; the library must report the same.</summary>
    public required int Number { get; init; }

    /// <summary>Absolute path of the library, or <c>builtin:NAME</c> for a module that is part of this program.</summary>
    public required string Library { get; init; }

    /// <summary>What the module gets besides company and car: names and texts, in the order of the file.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Parameters { get; init; } = [];

    /// <summary>How long one wait for commands may last.</summary>
    public TimeSpan PollTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public bool Equals(ModuleOptions? other) =>
        other is not null && Number == other.Number && Library == other.Library && PollTimeout == other.PollTimeout
        && Parameters.SequenceEqual(other.Parameters);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Number, Library);
}
