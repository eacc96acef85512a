namespace Mooring.Fleet;

/// <summary>Modules cannot be used. Its message has one line for each.</summary>
public sealed class FleetStartException : Exception
{
    internal FleetStartException(IReadOnlyList<string> failures)
        : base(string.Join('\n', failures)) => Failures = failures;

    /// <summary>One line for each module that cannot be used.</summary>
    public IReadOnlyList<string> Failures { get; }
}
