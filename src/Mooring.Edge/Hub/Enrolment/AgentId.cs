using System.Security.Cryptography;

namespace Mooring.Edge.Hub.Enrolment;

/// <summary>Names of agents: the common names of their certificates.</summary>
internal static class AgentId
{
    /// <summary>What a name may be, for people.</summary>
    public const string Rule = "use 1 to 64 letters, digits, '.', '-' and '_', beginning with a letter or digit";

    private const int LengthMax = 64;
    private const int FreshMax = 100_000_000;

    public static bool IsGood(string id) =>
        id.Length is > 0 and <= LengthMax && char.IsAsciiLetterOrDigit(id[0]) && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');

    /// <summary>Eight digits, which a person types into a form.</summary>
    public static string Fresh() => RandomNumberGenerator.GetInt32(FreshMax).ToString("D8", System.Globalization.CultureInfo.InvariantCulture);
}
