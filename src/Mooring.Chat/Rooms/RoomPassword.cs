using System.Security.Cryptography;
using System.Text;

namespace Mooring.Chat.Rooms;

/// <summary>
/// The word that opens a room, as it is kept: <c>SALT:HASH</c> in hexadecimal. It is a word that many people share, and it is checked between
/// two messages of everybody else: so one round of a hash has to do, and guessing is stopped by counting.
/// </summary>
internal sealed class RoomPassword
{
    internal const int BytesMax = 256;

    private const int SaltBytes = 16;

    private readonly byte[] _salt;
    private readonly byte[] _hash;

    private RoomPassword(byte[] salt, byte[] hash)
    {
        _salt = salt;
        _hash = hash;
    }

    internal static RoomPassword Create(string word)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        return new RoomPassword(salt, HMACSHA256.HashData(salt, Encoding.UTF8.GetBytes(word)));
    }

    /// <summary>Null for a text that is none.</summary>
    internal static RoomPassword? Parse(string kept)
    {
        if (kept.Split(':') is not [{ Length: SaltBytes * 2 } salt, { Length: HMACSHA256.HashSizeInBytes * 2 } hash]) return null;
        return (salt + hash).All(char.IsAsciiHexDigit) ? new RoomPassword(Convert.FromHexString(salt), Convert.FromHexString(hash)) : null;
    }

    internal bool IsOpenedBy(string? word) =>
        word is not null && CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(_salt, Encoding.UTF8.GetBytes(word)), _hash);

    public override string ToString() => $"{Convert.ToHexStringLower(_salt)}:{Convert.ToHexStringLower(_hash)}";
}
