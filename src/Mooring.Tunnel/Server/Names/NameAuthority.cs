using System.Globalization;
using System.Net.Sockets;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Server.Ingress;
using Mooring.Tunnel.Server.Sessions;

namespace Mooring.Tunnel.Server.Names;

/// <summary>Gives names and ports to sessions, and takes them back.</summary>
internal sealed class NameAuthority(
    TunnelServerOptions options, PublicAddresses addresses, TunnelDirectory directory, NameStore store, HostnameStore hostnames, TakedownList takedowns, TcpIngress tcp,
    TimeProvider time)
{
    /// <summary>Names held by a connected client; renewed when it leaves. A crash of the server keeps them with their accounts this long.</summary>
    private static readonly TimeSpan s_connectedLease = TimeSpan.FromDays(1);

    private const int RandomAttempts = 20;

    /// <summary>Answers a wish for a tunnel. Never throws for what a client asked.</summary>
    public async Task<GrantAnswer> GrantAsync(ServerSession session, TunnelRequest wanted)
    {
        if (session.IsDraining) return GrantAnswer.Refused(ErrorCodes.ServiceUnavailable, "the server is about to stop");
        if (session.Usage.Tunnels >= session.Account.Quota.Tunnels && !IsOwnStale(session, wanted))
            return GrantAnswer.Refused(ErrorCodes.QuotaTunnels, $"the account may have {session.Account.Quota.Tunnels} tunnels");
        if (session.Usage.IsOverDay)
            return GrantAnswer.Refused(ErrorCodes.QuotaBytes, $"the account has carried what it may in a day ({session.Account.Quota.BytesPerDay} bytes)");
        if ((wanted.Hostname ?? wanted.Path ?? wanted.Subdomain) is { } name && takedowns.Find(name) is { } taken)
            return GrantAnswer.Refused(ErrorCodes.SubdomainUnavailable, $"'{name}' was taken down by the operator: {taken.Reason}");
        if (wanted.Auth is { } auth && !auth.Contains(':', StringComparison.Ordinal))
            return GrantAnswer.Refused(ErrorCodes.TunnelCreateFailed, "auth is not user:password");
        return wanted switch
        {
            { Protocol: "tcp" } => await GrantPortAsync(session, wanted),
            { Protocol: not "http" } => GrantAnswer.Refused(ErrorCodes.UnsupportedProtocol, $"'{wanted.Protocol}' is neither http nor tcp"),
            { Hostname: not null } => await GrantHostnameAsync(session, wanted),
            { Path.Length: > 0 } => await GrantLabelAsync(session, wanted with { Subdomain = wanted.Path }, isSpa: true),
            { Path: not null } => await GrantRandomAsync(session, wanted, isSpa: true),
            { Subdomain: not null } => await GrantLabelAsync(session, wanted, isSpa: false),
            _ => await GrantRandomAsync(session, wanted, isSpa: false),
        };
    }

    /// <summary>Frees what a session had; names stay with their accounts for the grace time.</summary>
    public async Task ReleaseAsync(ServerSession session)
    {
        foreach (var binding in session.Bindings)
        {
            session.Remove(binding);
            if (binding.Port > 0) tcp.Close(binding);
            if (directory.Remove(binding) && binding is { Port: 0, Hostname: null })
                await store.TryClaimAsync(binding.Name, binding.Account.Id, options.Limits.NameGrace);
        }
    }

    private bool IsOwnStale(ServerSession session, TunnelRequest wanted) =>
        (wanted.Hostname ?? wanted.Subdomain) is { } name && directory.TryGet(name, out var binding) && binding.Account.Id == session.Account.Id;

    private async Task<GrantAnswer> GrantRandomAsync(ServerSession session, TunnelRequest wanted, bool isSpa)
    {
        for (var attempt = 0; attempt < RandomAttempts; attempt++)
        {
            var answer = await GrantLabelAsync(session, wanted with { Subdomain = RandomNames.Next() }, isSpa);
            if (answer.Grant is not null) return answer;
        }
        return GrantAnswer.Refused(ErrorCodes.PoolExhausted, "no name is free");
    }

    private async Task<GrantAnswer> GrantLabelAsync(ServerSession session, TunnelRequest wanted, bool isSpa)
    {
        var label = wanted.Subdomain!.ToLowerInvariant();
        if (!NameRules.IsLabel(label) || NameRules.IsReserved(label))
        {
            return GrantAnswer.Refused(
                isSpa ? ErrorCodes.InvalidPath : ErrorCodes.SubdomainUnavailable,
                $"'{label}' cannot be used: {NameRules.LabelMin} to {NameRules.LabelMax} of a-z, 0-9 and -, no dash at the ends, not a reserved word");
        }
        // Its lease in the store may have run out while its tunnel is up.
        var isHeld = directory.TryGet(label, out var held) && held.Account.Id != session.Account.Id;
        if (isHeld || !await store.TryClaimAsync(label, session.Account.Id, s_connectedLease))
            return GrantAnswer.Refused(isSpa ? ErrorCodes.PathTaken : ErrorCodes.SubdomainUnavailable, $"'{label}' belongs to another account");
        var binding = new TunnelBinding(session, label, addresses.Http(label), time.GetUtcNow()) { Auth = wanted.Auth };
        return await BindAsync(binding)
            ? Granted(binding, isSpa ? label : null)
            : GrantAnswer.Refused(ErrorCodes.SubdomainTaken, $"'{label}' is in use by another connection");
    }

    private async Task<GrantAnswer> GrantHostnameAsync(ServerSession session, TunnelRequest wanted)
    {
        if (!NameRules.TryHostname(wanted.Hostname!, out var hostname) || wanted.Subdomain is not null || wanted.Path is not null)
            return GrantAnswer.Refused(ErrorCodes.InvalidHostname, $"'{wanted.Hostname}' is no host name");
        switch (await hostnames.FindAsync(hostname))
        {
            case null:
                return GrantAnswer.Refused(ErrorCodes.HostnameNotRegistered, $"'{hostname}' is not registered");
            case { } other when other.Account != session.Account.Id:
                return GrantAnswer.Refused(ErrorCodes.HostnameTaken, $"'{hostname}' belongs to another account");
            case { IsVerified: false }:
                return GrantAnswer.Refused(ErrorCodes.HostnameNotVerified, $"'{hostname}' is not verified");
        }
        var binding = new TunnelBinding(session, hostname, addresses.HttpHost(hostname), time.GetUtcNow()) { Hostname = hostname, Auth = wanted.Auth };
        return await BindAsync(binding)
            ? Granted(binding, null)
            : GrantAnswer.Refused(ErrorCodes.SubdomainTaken, $"'{hostname}' is in use by another connection");
    }

    private async Task<GrantAnswer> GrantPortAsync(ServerSession session, TunnelRequest wanted)
    {
        if (session is StreamSession { Frames: { Version: >= ProtocolVersion.Three } frames } && !frames.Has(Capabilities.Tcp))
            return GrantAnswer.Refused(ErrorCodes.TcpDisabled, "the client does not speak tcp");
        if (wanted.RemotePort is { } port && (port < options.TcpPortFirst || port > options.TcpPortLast))
            return GrantAnswer.Refused(ErrorCodes.TcpDisabled, $"port {port} is outside {options.TcpPortFirst} to {options.TcpPortLast}");
        if (wanted.RemotePort is { } mail && NameRules.IsBlockedPort(mail)) return GrantAnswer.Refused(ErrorCodes.TcpDisabled, $"port {mail} is for mail, which no tunnel carries");
        foreach (var candidate in await CandidatesAsync(session, wanted.RemotePort))
        {
            var isAsked = candidate == wanted.RemotePort;
            var name = string.Create(CultureInfo.InvariantCulture, $"tcp-{candidate}");
            if (directory.TryGet(name, out var held) && held.Account.Id == session.Account.Id && isAsked) await EvictAsync(held);
            var binding = new TunnelBinding(session, name, addresses.Tcp(candidate), time.GetUtcNow()) { Port = candidate };
            if (!directory.TryAdd(binding)) continue;
            if (await store.TryLeasePortAsync(candidate, session.Account.Id, takeOver: !isAsked) && TryListen(binding))
            {
                session.Add(binding);
                directory.Announce(binding);
                return new GrantAnswer(new TunnelGrant(binding.Url, name, RemotePort: candidate), binding, "", "");
            }
            directory.Remove(binding);
        }
        return wanted.RemotePort is { } asked
            ? GrantAnswer.Refused(ErrorCodes.TunnelCreateFailed, $"port {asked} is in use")
            : GrantAnswer.Refused(ErrorCodes.PoolExhausted, "no port is free");
    }

    private bool TryListen(TunnelBinding binding)
    {
        try
        {
            tcp.Open(binding);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    // The port asked for; else the account's last one, then those that nobody had, in random order, then any.
    private async Task<IEnumerable<int>> CandidatesAsync(ServerSession session, int? wanted)
    {
        if (wanted is { } port) return [port];
        var leased = await store.LeasedPortsAsync();
        var last = await store.LastPortAsync(session.Account.Id, [.. directory.All.Select(binding => binding.Port)]);
        var all = Enumerable.Range(options.TcpPortFirst, options.TcpPortLast - options.TcpPortFirst + 1).Where(port => !NameRules.IsBlockedPort(port)).ToArray();
        Random.Shared.Shuffle(all);
        return [.. last is { } own ? [own] : Array.Empty<int>(), .. all.Where(p => !leased.Contains(p)), .. all.Where(leased.Contains)];
    }

    private async Task<bool> BindAsync(TunnelBinding binding)
    {
        if (directory.TryGet(binding.Name, out var stale))
        {
            // Two tunnels of one connection cannot share a name; an older connection of the same account gives way.
            if (stale.Session == binding.Session || stale.Account.Id != binding.Account.Id) return false;
            await EvictAsync(stale);
        }
        if (!directory.TryAdd(binding)) return false;
        binding.Session.Add(binding);
        directory.Announce(binding);
        return true;
    }

    private async Task EvictAsync(TunnelBinding stale)
    {
        var session = stale.Session;
        foreach (var binding in session.Bindings)
        {
            session.Remove(binding);
            if (binding.Port > 0) tcp.Close(binding);
            directory.Remove(binding);
        }
        await session.CloseAsync(CloseCodes.Replaced, "a newer connection of the same account took over");
    }

    private static GrantAnswer Granted(TunnelBinding binding, string? path) =>
        new(new TunnelGrant(binding.Url, binding.Name, Path: path, IsAuthEnforced: binding.Auth is not null), binding, "", "");
}
