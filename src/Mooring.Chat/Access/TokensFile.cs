using System.Security.Cryptography;
using System.Text;
using Mooring.Chat.Protocol;
using Mooring.Kernel.Options;

namespace Mooring.Chat.Access;

/// <summary>
/// The tokens file: one account a line, <c>NAME ROLE SHA256</c>, with a client id or <c>*</c>, <c>member</c> or <c>operator</c>, and the
/// hexadecimal hash of the token. Empty lines, and lines that begin with <c>#</c>, mean nothing. Tokens are long random texts, hence
/// one round of a hash is enough.
/// </summary>
internal static class TokensFile
{
    private const int TokenBytes = 24;
    private const int HashCharacters = SHA256.HashSizeInBytes * 2;

    /// <summary>A new token, and the line of the file that stands for it.</summary>
    internal static (string Token, string Line) Create(string name, bool isOperator)
    {
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(TokenBytes));
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        return (token, $"{name} {(isOperator ? "operator" : "member")} {hash}");
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
            if (parts.Length != 3 || !IsHash(parts[2]) || parts[1] is not ("member" or "operator") || !IsName(parts[0]))
                errors.Add($"{path}, line {i + 1}", "use NAME or *, member or operator, and the SHA-256 of the token in hexadecimal");
            else
                accounts[parts[2].ToLowerInvariant()] = new ChatAccount(parts[0], parts[1] == "operator");
        }
        return accounts;
    }

    private static bool IsName(string name) =>
        name == ChatAccount.Anyone || (ChatNames.IsName(name) && !ChatNames.IsReservedClient(name) && !ChatNames.IsAutomatic(name));

    private static bool IsHash(string text) => text.Length == HashCharacters && text.All(char.IsAsciiHexDigit);
}
