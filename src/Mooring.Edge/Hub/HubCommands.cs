using Mooring.Edge.Hub.Api;
using Mooring.Edge.Hub.Enrolment;
using Mooring.Edge.Hub.Store;

namespace Mooring.Edge.Hub;

/// <summary>What <c>mooring hub</c> does beside running: it writes into the store, and a hub that runs sees it within seconds.</summary>
public static class HubCommands
{
    /// <summary>Makes key and certificate for an agent, new or known.</summary>
    /// <param name="options">Which hub.</param>
    /// <param name="id">The agent's id.</param>
    /// <param name="name">What people call it; null for its id.</param>
    /// <param name="folder">Where client.crt, client.key and ca.crt are written.</param>
    /// <param name="mustBeKnown">Whether it must be enrolled already.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Until when the certificate is good; null when the agent is not known and must be.</returns>
    /// <exception cref="ArgumentException">The id cannot be one.</exception>
    public static async Task<DateTimeOffset?> EnrolAsync(
        HubOptions options, string id, string? name, string folder, bool mustBeKnown, CancellationToken cancellationToken)
    {
        if (!AgentId.IsGood(id)) throw new ArgumentException($"'{id}' cannot be an agent's id: {AgentId.Rule}", nameof(id));
        using var authority = AgentAuthority.LoadOrCreate(options, TimeProvider.System);
        await using var store = await HubStore.OpenAsync(options, cancellationToken);
        if (mustBeKnown && await store.AgentAsync(id, cancellationToken) is null) return null;
        var enrolments = new Enrolments(store, authority, TimeProvider.System);
        var (agent, certificate, key) = await enrolments.IssueAsync(id, name, cancellationToken);
        enrolments.WriteFiles(folder, certificate, key);
        await NoteAsync(store, id, "enrol", cancellationToken);
        return agent.NotAfter;
    }

    /// <summary>The address that agents are to be given: where the hub of this folder listens, or listened last; else where it would.</summary>
    /// <param name="options">Which hub.</param>
    /// <returns>Such as <c>https://hub.example.org:3001/</c>.</returns>
    public static Uri AddressForAgents(HubOptions options) =>
        File.Exists(options.AddressFile) && Uri.TryCreate(File.ReadAllText(options.AddressFile).Trim(), UriKind.Absolute, out var told)
            ? told : options.AddressFor(options.Agents);

    /// <summary>Shuts an agent out.</summary>
    /// <param name="options">Which hub.</param>
    /// <param name="id">The agent's id.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>False when there is no such agent, or it is shut out already.</returns>
    public static async Task<bool> RevokeAsync(HubOptions options, string id, CancellationToken cancellationToken)
    {
        await using var store = await HubStore.OpenAsync(options, cancellationToken);
        if (await store.RevokeAsync(id, TimeProvider.System.GetUtcNow(), cancellationToken) == 0) return false;
        await NoteAsync(store, id, "revoke", cancellationToken);
        return true;
    }

    /// <summary>Makes a token for an operator.</summary>
    /// <param name="options">Which hub.</param>
    /// <param name="name">Whose it is; an older one of that name is good no longer.</param>
    /// <param name="role">What may be done with it.</param>
    /// <param name="agents">To which agents; empty for all.</param>
    /// <param name="lifetime">For how long; null for ever.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The token, which is not kept.</returns>
    public static async Task<string> CreateTokenAsync(
        HubOptions options, string name, HubRole role, IReadOnlyList<string> agents, TimeSpan? lifetime, CancellationToken cancellationToken)
    {
        await using var store = await HubStore.OpenAsync(options, cancellationToken);
        var token = await HubAccess.CreateAsync(store, name, role, agents, lifetime is { } l ? TimeProvider.System.GetUtcNow() + l : null, cancellationToken);
        await NoteAsync(store, "", $"token for {name}: {role}", cancellationToken);
        return token;
    }

    /// <summary>Makes an operator's token useless.</summary>
    /// <param name="options">Which hub.</param>
    /// <param name="name">Whose it was.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>False when there was none of that name.</returns>
    public static async Task<bool> RemoveTokenAsync(HubOptions options, string name, CancellationToken cancellationToken)
    {
        await using var store = await HubStore.OpenAsync(options, cancellationToken);
        return await store.RemoveTokenAsync(name, cancellationToken) > 0;
    }

    /// <summary>The agents that are enrolled, one line each.</summary>
    /// <param name="options">Which hub.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Id, name, state, end of the certificate, last seen.</returns>
    public static async Task<IReadOnlyList<string>> ListAsync(HubOptions options, CancellationToken cancellationToken)
    {
        await using var store = await HubStore.OpenAsync(options, cancellationToken);
        return
        [
            .. (await store.AgentsAsync(cancellationToken)).Select(a => string.Join('\t',
                a.Id, a.Name, a.RevokedAt is not null ? "revoked" : a.ClaimedAt is null ? "unclaimed" : "enrolled",
                $"{a.NotAfter:yyyy-MM-dd}", a.LastSeenAt is { } seen ? $"{seen:yyyy-MM-dd HH:mm:ss}Z" : "never")),
        ];
    }

    private static Task NoteAsync(HubStore store, string agent, string action, CancellationToken cancellationToken) => store.SaveAuditAsync(
        new AuditEntry(TimeProvider.System.GetUtcNow(), Environment.UserName, "command line", agent, null, action, null, "done", 0), cancellationToken);
}
