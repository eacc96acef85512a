using System.Text;
using Mooring.Kernel.Hashing;
using Mooring.Kernel.Options;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker.Access;

/// <summary>
/// Users and their password hashes: lines <c>name:hash</c>, with hashes as <see cref="PasswordHash"/> writes them or as
/// mosquitto_passwd does (<c>$7$</c>, which is PBKDF2 with HMAC-SHA-512 too). A line that cannot be read makes the load fail.
/// </summary>
internal sealed class UserTable
{
    private const string MosquittoScheme = "$7$";
    private const string MosquittoOldScheme = "$6$";

    private readonly Dictionary<string, PasswordHash> _hashes = new(StringComparer.Ordinal);

    private UserTable()
    {
    }

    /// <summary>Any one of the hashes, to spend the same time on a user that does not exist.</summary>
    internal PasswordHash? Decoy { get; private set; }

    internal PasswordHash? Find(string user) => _hashes.GetValueOrDefault(user);

    internal bool Contains(string user) => _hashes.ContainsKey(user);

    /// <summary>Adds what is wrong to <paramref name="errors"/>, with the line's number; passwords and hashes are not shown.</summary>
    internal static UserTable Parse(string text, string source, OptionsErrors errors)
    {
        var table = new UserTable();
        var number = 0;
        foreach (var line in text.Split('\n').Select(line => line.TrimEnd('\r')))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line) || line[0] == '#') continue;
            if (table.Add(line) is { } wrong) errors.Add($"{source}:{number}", wrong);
        }
        return table;
    }

    /// <summary>What is wrong with a user name; null when it is good.</summary>
    internal static string? CheckName(string name)
    {
        var utf8 = Encoding.UTF8.GetBytes(name);
        return name.Length == 0 || name[0] == '#' || name.Contains(':', StringComparison.Ordinal)
            || !Utf8Text.IsValid(utf8) || Utf8Text.HasDiscouragedCharacters(utf8)
            ? "a user name is a text without ':' and control characters that does not begin with '#'"
            : null;
    }

    private string? Add(string line)
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) return "not of the form NAME:HASH; 'mooring broker passwd FILE USER' writes such lines";
        var name = line[..colon];
        if (CheckName(name) is { } wrong) return wrong;
        var text = line[(colon + 1)..].Trim();
        if (text.StartsWith(MosquittoOldScheme, StringComparison.Ordinal))
            return $"the hash of '{name}' is a single SHA-512, which is not safe; set the password anew";
        if (text.StartsWith(MosquittoScheme, StringComparison.Ordinal))
            text = string.Concat("$pbkdf2-sha512$i=", text.AsSpan(MosquittoScheme.Length));
        if (!PasswordHash.TryParse(text, out var hash, out var error)) return $"the hash of '{name}' cannot be read: {error}";
        if (!_hashes.TryAdd(name, hash!)) return $"the user '{name}' is there twice";
        Decoy ??= hash;
        return null;
    }
}
