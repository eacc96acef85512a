using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Mooring.Kernel.Hashing;

/// <summary>
/// A password as it may be stored: PBKDF2 with HMAC-SHA-512, written as <c>$pbkdf2-sha512$i=210000$salt$hash</c> with salt and hash
/// in base64. The text contains everything needed to verify, so the cost can be raised without touching old entries.
/// </summary>
public sealed class PasswordHash
{
    /// <summary>Iterations of new hashes: what OWASP recommends for PBKDF2-HMAC-SHA512.</summary>
    public const int DefaultIterations = 210_000;

    /// <summary>Iterations that a stored hash may ask for: one verification stays under a few seconds.</summary>
    public const int IterationsMax = 10_000_000;

    private const string Scheme = "pbkdf2-sha512";
    private const int SaltBytes = 16;
    private const int HashBytes = 64;

    private readonly byte[] _salt;
    private readonly byte[] _hash;

    private PasswordHash(int iterations, byte[] salt, byte[] hash)
    {
        Iterations = iterations;
        _salt = salt;
        _hash = hash;
    }

    /// <summary>How often the function is applied.</summary>
    public int Iterations { get; }

    /// <summary>Hashes a password with a new salt.</summary>
    /// <param name="password">The password.</param>
    /// <param name="iterations">How often the function is applied.</param>
    /// <returns>The hash.</returns>
    public static PasswordHash Create(string password, int iterations = DefaultIterations)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(iterations);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(iterations, IterationsMax);
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        return new PasswordHash(iterations, salt, Derive(Encoding.UTF8.GetBytes(password), salt, iterations, HashBytes));
    }

    /// <summary>Reads a stored hash.</summary>
    /// <param name="text">The stored text.</param>
    /// <param name="hash">The hash, when the text is one.</param>
    /// <param name="error">What is wrong with the text otherwise; it never contains the text.</param>
    /// <returns>True when the text is a hash.</returns>
    public static bool TryParse(string text, out PasswordHash? hash, out string error)
    {
        hash = null;
        var parts = text.Split('$');
        if (parts.Length != 5 || parts[0].Length != 0 || parts[1] != Scheme)
            return No($"not of the form ${Scheme}$i=ITERATIONS$SALT$HASH", out error);
        if (!parts[2].StartsWith("i=", StringComparison.Ordinal)
            || !int.TryParse(parts[2].AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var iterations)
            || iterations is < 1 or > IterationsMax)
            return No($"the iterations must be 'i=' and a number from 1 to {IterationsMax}", out error);
        if (!TryBase64(parts[3], out var salt) || salt.Length is < 8 or > 64)
            return No("the salt must be 8 to 64 bytes in base64", out error);
        if (!TryBase64(parts[4], out var bytes) || bytes.Length is < 16 or > HashBytes)
            return No($"the hash must be 16 to {HashBytes} bytes in base64", out error);
        error = "";
        hash = new PasswordHash(iterations, salt, bytes);
        return true;
    }

    /// <summary>Whether a password is the one that was hashed. Takes the same time whatever the answer.</summary>
    /// <param name="password">The password.</param>
    /// <returns>True when it is.</returns>
    public bool Verify(string password) => Verify(Encoding.UTF8.GetBytes(password));

    /// <summary>Whether a password is the one that was hashed. Takes the same time whatever the answer.</summary>
    /// <param name="utf8Password">The password as UTF-8.</param>
    /// <returns>True when it is.</returns>
    public bool Verify(ReadOnlySpan<byte> utf8Password) =>
        CryptographicOperations.FixedTimeEquals(Derive(utf8Password, _salt, Iterations, _hash.Length), _hash);

    /// <summary>The text to store.</summary>
    /// <returns>The text.</returns>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"${Scheme}$i={Iterations}${Base64(_salt)}${Base64(_hash)}");

    private static byte[] Derive(ReadOnlySpan<byte> password, byte[] salt, int iterations, int length) =>
        Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, HashAlgorithmName.SHA512, length);

    private static string Base64(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    private static bool TryBase64(string text, out byte[] bytes)
    {
        bytes = [];
        text = text.TrimEnd('=');
        if (text.Length > 128) return false;
        text += new string('=', (4 - (text.Length % 4)) % 4);
        var buffer = new byte[text.Length];
        if (!Convert.TryFromBase64String(text, buffer, out var written)) return false;
        bytes = buffer[..written];
        return true;
    }

    private static bool No(string why, out string error)
    {
        error = why;
        return false;
    }
}
