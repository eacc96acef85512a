using System.Security.Cryptography;
using System.Text;

namespace Mooring.Cli.Access;

/// <summary>Random secrets, of which only a hash is stored. They have 256 bits: there is nothing to guess, and so no salt.</summary>
internal static class AccessSecret
{
    /// <summary>Begins every operator's token.</summary>
    internal const string TokenPrefix = "mop_";

    private const int SecretBytes = 32;

    internal static string NewToken() => TokenPrefix + NewSession();

    internal static string NewSession() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretBytes)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    internal static string HashOf(string secret) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
}
