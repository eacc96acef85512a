using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Mooring.Tunnel.Server.Accounts;

/// <summary>Tokens: 32 random bytes, of which only a hash is stored. Their entropy makes a slow hash needless, so one look-up finds them.</summary>
internal static class TokenText
{
    internal const int LengthMax = 200;

    internal static string Create() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    internal static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    /// <summary>A token as it may be shown.</summary>
    internal static string Masked(string token) => token.Length <= 4 ? "****" : "****" + token[^4..];
}
