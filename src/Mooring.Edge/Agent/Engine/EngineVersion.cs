using System.Globalization;

namespace Mooring.Edge.Agent.Engine;

/// <summary>A version of the engine's API, compared as two numbers: 1.9 is older than 1.41.</summary>
/// <param name="Major">Before the dot.</param>
/// <param name="Minor">After it.</param>
internal readonly record struct EngineVersion(int Major, int Minor) : IComparable<EngineVersion>
{
    /// <summary>The newest version whose meaning this client knows.</summary>
    public static readonly EngineVersion Newest = new(1, 47);

    /// <summary>The oldest that has all calls used here: one-shot statistics came with 1.41.</summary>
    public static readonly EngineVersion Oldest = new(1, 41);

    /// <summary>From here on a container may be created with all its networks at once.</summary>
    public static readonly EngineVersion SeveralNetworksAtCreation = new(1, 44);

    /// <summary>Reads "1.41".</summary>
    /// <param name="text">The text; null is no version.</param>
    /// <param name="version">The version.</param>
    /// <returns>Whether the text is a version.</returns>
    public static bool TryParse(string? text, out EngineVersion version)
    {
        version = default;
        if (text?.Split('.') is not [var major, var minor]) return false;
        if (!int.TryParse(major, NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            || !int.TryParse(minor, NumberStyles.None, CultureInfo.InvariantCulture, out var second)) return false;
        version = new EngineVersion(first, second);
        return true;
    }

    /// <inheritdoc/>
    public int CompareTo(EngineVersion other) => Major != other.Major ? Major.CompareTo(other.Major) : Minor.CompareTo(other.Minor);

    public static bool operator <(EngineVersion left, EngineVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(EngineVersion left, EngineVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(EngineVersion left, EngineVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(EngineVersion left, EngineVersion right) => left.CompareTo(right) >= 0;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");
}
