using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mooring.Chat.Configuration;
using Mooring.Kernel.Options;

namespace Mooring.Chat.Access;

/// <summary>Who may come in: everybody, or those who present a token of the tokens file, a signed token or a certificate.</summary>
internal sealed class ChatAccess
{
    /// <summary>No tokens are asked for.</summary>
    internal static readonly ChatAccess Open = new(new ChatOptions(), TimeProvider.System);

    private const string CommonName = "2.5.4.3";

    private readonly ChatOptions _options;
    private readonly TimeProvider _time;
    private readonly byte[]? _adminHash;
    private Credentials _credentials = new([], null);

    private ChatAccess(ChatOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        _adminHash = options.AdminToken is null ? null : SHA256.HashData(Encoding.UTF8.GetBytes(options.AdminToken));
    }

    /// <summary>Whether a client must say who it is.</summary>
    internal bool IsRequired => _options.IsAccountRequired;

    /// <summary>Whether operators present a token; without it every caller from this machine may do what they do.</summary>
    internal bool HasOperatorToken => _adminHash is not null || IsRequired;

    /// <summary>Reads the files of tokens and keys that there are.</summary>
    internal static ChatAccess Load(ChatOptions options, TimeProvider time, OptionsErrors errors)
    {
        var access = new ChatAccess(options, time);
        access._credentials = access.Read(errors);
        return access;
    }

    /// <summary>Reads the files again; when something is wrong in one, everything stays as it was.</summary>
    internal void Reload(OptionsErrors errors)
    {
        var credentials = Read(errors);
        if (errors.IsEmpty) Volatile.Write(ref _credentials, credentials);
    }

    /// <summary>The account of an incoming hook; null when there is none with this token.</summary>
    internal ChatAccount? FindHook(string token) => Find(SHA256.HashData(Encoding.UTF8.GetBytes(token))) is { HookRoom: not null } hook ? hook : null;

    /// <summary>The account that a token opens; null when it opens none.</summary>
    internal ChatAccount? Authenticate(string token)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(token));
        if (_adminHash is not null && CryptographicOperations.FixedTimeEquals(hash, _adminHash)) return ChatAccount.Operator;
        // The table is asked for a hash, so the time it takes tells nothing about the tokens.
        if (Find(hash) is { } account) return account.HookRoom is null ? account : null;
        return Volatile.Read(ref _credentials).Signed?.Authenticate(token, _time.GetUtcNow().ToUnixTimeSeconds());
    }

    /// <summary>The account of whoever shows a certificate: its one common name is the client id. Null when that is no id.</summary>
    internal ChatAccount? Authenticate(X509Certificate2? certificate)
    {
        if (_options.ClientCaPath is null || certificate is null) return null;
        string?[] names = [.. certificate.SubjectName.EnumerateRelativeDistinguishedNames()
            .Where(part => !part.HasMultipleElements && part.GetSingleElementType().Value == CommonName).Select(part => part.GetSingleElementValue())];
        return names is [{ } name] && name != ChatAccount.Anyone ? TokensFile.ToAccount(name, TokensFile.MemberRole) : null;
    }

    private ChatAccount? Find(byte[] hash) => Volatile.Read(ref _credentials).Accounts.GetValueOrDefault(Convert.ToHexStringLower(hash));

    private Credentials Read(OptionsErrors errors) => new(
        _options.TokensInUse is { } tokens ? TokensFile.Read(tokens, errors) : [],
        _options.JwtKeysInUse is { } keys ? new JsonWebTokens(JsonWebKeysFile.Read(keys, errors), _options.JwtIssuer, _options.JwtAudience) : null);

    private sealed record Credentials(Dictionary<string, ChatAccount> Accounts, JsonWebTokens? Signed);
}
