using System.Globalization;

namespace Mooring.Chat.Lines;

/// <summary>
/// What a client brings when it enters: <c>resume=TOKEN</c> for its id, <c>since=EPOCH:SEQUENCE</c> for a room's messages,
/// <c>password=WORD</c> for the room.
/// </summary>
internal readonly record struct Resumption(string? Token, ulong? Epoch, long Since, string? Password)
{
    private const string PasswordKey = "password=";
    private const string TokenKey = "resume=";
    private const string SinceKey = "since=";

    internal static Resumption Parse(string text)
    {
        string? token = null;
        string? password = null;
        ulong? epoch = null;
        long since = -1;
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (word.StartsWith(TokenKey, StringComparison.Ordinal)) token = word[TokenKey.Length..];
            else if (word.StartsWith(PasswordKey, StringComparison.Ordinal)) password = word[PasswordKey.Length..];
            else if (word.StartsWith(SinceKey, StringComparison.Ordinal)) (epoch, since) = ParsePlace(word[SinceKey.Length..]);
        }
        return new Resumption(token, epoch, since, password);
    }

    /// <summary><c>EPOCH:SEQUENCE</c>, or a sequence number alone for the epoch that is.</summary>
    internal static (ulong? Epoch, long Since) ParsePlace(string place)
    {
        var colon = place.IndexOf(':', StringComparison.Ordinal);
        ulong? epoch = colon > 0 && ulong.TryParse(place.AsSpan(0, colon), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var parsed)
            ? parsed
            : null;
        return long.TryParse(place.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var since) ? (epoch, since) : (null, -1);
    }

    /// <summary>Numbers of another epoch say nothing about this one: then everything that is kept is new.</summary>
    internal long SinceIn(ulong epoch) => IsOfOtherEpoch(epoch) ? 0 : Since;

    internal bool IsOfOtherEpoch(ulong epoch) => Since >= 0 && Epoch is { } other && other != epoch;
}
