using System.Security.Cryptography;
using System.Text;
using Mooring.Tunnel.Protocol.GenerationB;

namespace Mooring.Tunnel.Client.Streams;

/// <summary>Checks the visitor's password where the server does not.</summary>
internal static class BasicCredentials
{
    public static bool Match(ReadOnlySpan<byte> headers, string userAndPassword)
    {
        var fields = new HeaderReader(headers);
        while (fields.Read())
        {
            if (fields.Is("authorization"u8)) return Match(Encoding.ASCII.GetString(fields.Value), userAndPassword);
        }
        return false;
    }

    /// <summary>The scheme's name in any case; the rest in constant time.</summary>
    internal static bool Match(string authorization, string userAndPassword)
    {
        const string Scheme = "Basic ";
        if (!authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)) return false;
        var given = new byte[authorization.Length];
        return Convert.TryFromBase64String(authorization[Scheme.Length..].Trim(), given, out var length)
            && CryptographicOperations.FixedTimeEquals(given.AsSpan(0, length), Encoding.UTF8.GetBytes(userAndPassword));
    }
}
