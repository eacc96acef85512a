using System.Security.Cryptography;
using System.Text;
using Mooring.Chat.Protocol;
using Mooring.Kernel.Options;

namespace Mooring.Chat.Access;

/// <summary>
/// The tokens file: one account a line, <c>NAME ROLE SHA256</c>, with a client id or <c>*</c>, <c>member</c> or <c>operator</c>, and the
/// hexadecimal hash of the token. A hook has <c>room:name</c> and the role <c>hook</c>. Empty lines, and lines that begin with <c>#</c>, mean nothing. Tokens are long random texts, hence
/// one round of a hash is enough.
/// </summary>
internal static class TokensFile
{
    internal const string MemberRole = "member";
    internal const string OperatorRole = "operator";
    internal const string HookRole = "hook";

    private const int TokenBytes = 24;
    private const int HashCharacters = SHA256.HashSizeInBytes * 2;

    /// <summary>A new token, and the line of the file that stands for it.</summary>
    internal static (string Token, string Line) Create(string name, string role)
    {
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(TokenBytes));
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        return (token, $"{name} {role} {hash}");
    }

    internal static Dictionary<string, ChatAccount> Read(string path, OptionsErrors errors)
    {
        var accounts = new Dictionary<string, ChatAccount>(StringComparer.Ordinal);
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            errors.Add("auth_tokens_path", path, exception.Message);
            return accounts;
        }
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].Trim();
            if (line.Length == 0 || line[0] == '#') continue;
            var parts = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length == 3 && IsHash(parts[2]) && ToAccount(parts[0], parts[1]) is { } account) accounts[parts[2].ToLowerInvariant()] = account;
            else errors.Add($"{path}, line {i + 1}", "use NAME or * and member or operator, or room:name and hook, and the SHA-256 of the token in hexadecimal");
        }
        return accounts;
    }

    internal static ChatAccount? ToAccount(string name, string role) => role switch
    {
        MemberRole or OperatorRole when name == ChatAccount.Anyone || IsName(name) => new ChatAccount(name, role == OperatorRole),
        HookRole when ChatNames.TryParseAddress(Encoding.UTF8.GetBytes(name), out var room, out var sender) && IsName(sender) => new ChatAccount(sender, false, room),
        _ => null,
    };

    private static bool IsName(string name) =>
        ChatNames.IsName(name) && !ChatNames.IsReservedClient(name) && !ChatNames.IsAutomatic(name);

    private static bool IsHash(string text) => text.Length == HashCharacters && text.All(char.IsAsciiHexDigit);
}
