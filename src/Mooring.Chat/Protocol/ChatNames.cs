using System.Globalization;
using System.Text;

namespace Mooring.Chat.Protocol;

/// <summary>
/// Names of rooms and clients: 1 to 64 Unicode scalars, none of them a control, white space, a colon or a byte-order mark.
/// <code>
/// address = room ":" client
/// </code>
/// </summary>
internal static class ChatNames
{
    internal const int NameScalarsMax = 64;

    /// <summary>The room that is always there.</summary>
    internal const string Main = "main";

    /// <summary>Sender of notices.</summary>
    internal const string Server = "server";

    /// <summary>As a client id: the server chooses one.</summary>
    internal const string Automatic = "client";

    internal static bool IsRoom(string name) => IsName(name) && name != "*";

    /// <summary>A reserved word in any case would let a client pass for the server.</summary>
    internal static bool IsReservedClient(string name) => LooksLike(name, Server) || name is "*" or "-";

    internal static bool IsAutomatic(string name) => name.Equals(Automatic, StringComparison.OrdinalIgnoreCase);

    internal static bool IsName(string name)
    {
        var scalars = 0;
        foreach (var rune in name.EnumerateRunes())
        {
            if (!IsNameScalar(rune) || ++scalars > NameScalarsMax) return false;
        }
        return scalars > 0;
    }

    /// <summary>Cuts an address; false unless it has exactly one colon and two names.</summary>
    internal static bool TryParseAddress(ReadOnlySpan<byte> address, out string room, out string client)
    {
        room = client = "";
        var colon = address.IndexOf((byte)':');
        if (colon < 0) return false;
        room = Encoding.UTF8.GetString(address[..colon]).Normalize(NormalizationForm.FormC);
        client = Encoding.UTF8.GetString(address[(colon + 1)..]).Normalize(NormalizationForm.FormC);
        return IsName(room) && IsName(client);
    }

    private static bool IsNameScalar(Rune rune) => rune.Value is not (':' or 0xFEFF) && Rune.GetUnicodeCategory(rune)
        is not (UnicodeCategory.Control or UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator);

    /// <summary>Equal without case, or made to look so with letters of other scripts, of full width, or that are not seen.</summary>
    internal static bool LooksLike(string name, string word)
    {
        var at = 0;
        foreach (var letter in name)
        {
            // Zero-width characters are not seen.
            if (char.GetUnicodeCategory(letter) == UnicodeCategory.Format) continue;
            if (at == word.Length || char.ToLowerInvariant(Latin(letter)) != word[at++]) return false;
        }
        return at == word.Length;
    }

    private static char Latin(char letter) => letter switch
    {
        'ѕ' or 'Ѕ' or 'ꜱ' => 's',
        'е' or 'Е' or 'ε' or 'Ε' => 'e',
        'г' or 'ř' or 'ŕ' => 'r',
        'ν' or 'ѵ' or 'Ѵ' => 'v',
        >= '！' and <= '～' => (char)(letter - '！' + '!'),
        _ => letter,
    };
}
