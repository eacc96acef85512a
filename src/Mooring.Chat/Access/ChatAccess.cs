using System.Security.Cryptography;
using System.Text;
using Mooring.Kernel.Options;

namespace Mooring.Chat.Access;

/// <summary>Who may come in: everybody, or those who present a token of the tokens file.</summary>
internal sealed class ChatAccess
{
    /// <summary>No tokens are asked for.</summary>
    internal static readonly ChatAccess Open = new(null, null);

    private readonly string? _path;
    private readonly byte[]? _adminHash;
    private Dictionary<string, ChatAccount> _accounts = new(StringComparer.Ordinal);

    private ChatAccess(string? path, string? adminToken)
    {
        _path = path;
        _adminHash = adminToken is null ? null : SHA256.HashData(Encoding.UTF8.GetBytes(adminToken));
    }

    /// <summary>Whether a client must present a token.</summary>
    internal bool IsRequired => _path is not null;

    /// <summary>Whether operators present a token; without it every caller from this machine may do what they do.</summary>
    internal bool HasOperatorToken => _adminHash is not null || IsRequired;

    /// <summary>Reads the tokens file, if there is one.</summary>
    internal static ChatAccess Load(string? path, string? adminToken, OptionsErrors errors)
    {
        var access = new ChatAccess(path, adminToken);
        if (path is not null) access._accounts = TokensFile.Read(path, errors);
        return access;
    }

    /// <summary>Reads the tokens file again; when something is wrong in it, everything stays as it was.</summary>
    internal void Reload(OptionsErrors errors)
    {
        if (_path is null) return;
        var accounts = TokensFile.Read(_path, errors);
        if (errors.IsEmpty) Volatile.Write(ref _accounts, accounts);
    }

    /// <summary>The account of an incoming hook; null when there is none with this token.</summary>
    internal ChatAccount? FindHook(string token) => Find(SHA256.HashData(Encoding.UTF8.GetBytes(token))) is { HookRoom: not null } hook ? hook : null;

    /// <summary>The account that a token opens; null when it opens none.</summary>
    internal ChatAccount? Authenticate(string token)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(token));
        if (_adminHash is not null && CryptographicOperations.FixedTimeEquals(hash, _adminHash)) return ChatAccount.Operator;
        // The table is asked for a hash, so the time it takes tells nothing about the tokens.
        return Find(hash) is { HookRoom: null } account ? account : null;
    }

    private ChatAccount? Find(byte[] hash) => Volatile.Read(ref _accounts).GetValueOrDefault(Convert.ToHexStringLower(hash));
}
