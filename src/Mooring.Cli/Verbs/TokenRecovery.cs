using Mooring.Tunnel.Client;

namespace Mooring.Cli.Verbs;

/// <summary>What happens when the server does not know the token. A token that the user gave for this command is never replaced.</summary>
internal static class TokenRecovery
{
    /// <summary>
    /// The token that was saved meanwhile, by <c>token rotate</c> or <c>authtoken</c>; else, from a server of generation A, a new token for the
    /// same account, and when the server has forgotten the account a new one, as clients of that generation do. Null when there is none.
    /// </summary>
    internal static async Task<string?> AnotherAsync(TunnelTarget target, string refused, TunnelWire wire, TunnelOutput output, CancellationToken cancellationToken)
    {
        if (target.IsTokenGiven) return null;
        if (target.File.Read().AuthToken is { Length: > 0 } saved && saved != refused)
        {
            output.Note($"The token was replaced; using the one in {target.File.Path}");
            return saved;
        }
        if (wire != TunnelWire.A) return null;
        using var api = target.Api();
        var token = await api.ReactivateAsync(refused, cancellationToken);
        output.Note(token is null ? "The server does not know the account any more: registering a new one..." : "The server gave a new token for the account");
        token ??= await api.RegisterAsync(cancellationToken: cancellationToken);
        await target.File.SetAsync("auth_token", token);
        return token;
    }
}
