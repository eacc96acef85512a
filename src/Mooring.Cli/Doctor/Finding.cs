using System.Text.Json.Serialization;

namespace Mooring.Cli.Doctor;

/// <summary>How a check ended.</summary>
internal enum FindingLevel
{
    /// <summary>Good.</summary>
    Ok,

    /// <summary>It works, but should be looked at.</summary>
    Warn,

    /// <summary>It does not work.</summary>
    Fail,
}

/// <summary>One line of <c>mooring doctor</c>.</summary>
/// <param name="Check">What was looked at.</param>
/// <param name="Level">How it ended.</param>
/// <param name="What">What was seen.</param>
/// <param name="Advice">What to do; empty when there is nothing to do.</param>
internal sealed record Finding(string Check, FindingLevel Level, string What, string Advice = "")
{
    internal static Finding Good(string check, string what) => new(check, FindingLevel.Ok, what);

    internal static Finding Odd(string check, string what, string advice) => new(check, FindingLevel.Warn, what, advice);

    internal static Finding Bad(string check, string what, string advice) => new(check, FindingLevel.Fail, what, advice);

    public override string ToString() => $"{Level.ToString().ToLowerInvariant(),-4}  {Check,-13}  {What}{(Advice.Length == 0 ? "" : $": {Advice}")}";
}

/// <summary>What <c>mooring doctor --json</c> prints.</summary>
/// <param name="Failed">Checks that failed.</param>
/// <param name="Warned">Checks that should be looked at.</param>
/// <param name="Checks">All of them.</param>
internal sealed record DoctorReport(int Failed, int Warned, IReadOnlyList<Finding> Checks);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, WriteIndented = true)]
[JsonSerializable(typeof(DoctorReport))]
internal sealed partial class DoctorJson : JsonSerializerContext;
