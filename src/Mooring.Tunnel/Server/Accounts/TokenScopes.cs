namespace Mooring.Tunnel.Server.Accounts;

/// <summary>What a token may do.</summary>
[Flags]
internal enum TokenScopes
{
    None = 0,

    /// <summary>Open tunnels.</summary>
    Connect = 1,

    /// <summary>Use the REST API of the account.</summary>
    Api = 2,

    /// <summary>Operate the server.</summary>
    Admin = 4,

    /// <summary>What an owner's token may do.</summary>
    Owner = Connect | Api,
}
