using System.Globalization;
using System.Security.Cryptography;

namespace Mooring.Tunnel.Links;

/// <summary>Names for clients, requests and sessions: a prefix, a dash and random symbols that nobody mistakes for one another.</summary>
internal static class Identifier
{
    /// <summary>Letters and digits without 0, 1 and l.</summary>
    internal const string Alphabet = "abcdefghijkmnopqrstuvwxyz23456789";

    private const int DefaultLength = 8;

    /// <summary>33^16 is beyond guessing; whoever knows the id of a session of generation A can offer it proxy connections.</summary>
    private const int SecretLength = 16;

    public static string Next(string prefix = "", int length = DefaultLength)
    {
        var symbols = RandomNumberGenerator.GetString(Alphabet, length);
        return prefix.Length == 0 ? symbols : $"{prefix}-{symbols}";
    }

    public static string NextClient() => Next("client", 12);

    public static string NextRequest() => Next("req");

    public static string NextSession(DateTimeOffset now) =>
        string.Create(CultureInfo.InvariantCulture, $"sess-{now.ToUnixTimeSeconds()}-{RandomNumberGenerator.GetString(Alphabet, SecretLength)}");
}
