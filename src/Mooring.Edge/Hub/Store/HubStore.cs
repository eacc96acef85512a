using System.Data.Common;
using System.Text.Json;
using Mooring.Storage;

namespace Mooring.Edge.Hub.Store;

/// <summary>What the hub must remember over restarts. The programs of one machine may use it at the same time: hub and <c>mooring hub enroll</c>.</summary>
internal sealed class HubStore(Database database) : IAsyncDisposable
{
    private const string AgentColumns =
        "id, name, fingerprint, not_after, pinned, created_at, claimed_at, revoked_at, last_seen_at";

    private static readonly IReadOnlyList<Migration> Migrations =
    [
        new(1, "agents, devices, history, events, audit, tokens",
            """
            CREATE TABLE hub_agents (
                id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, fingerprint TEXT NOT NULL, not_after BIGINT NOT NULL, pinned BIGINT NOT NULL,
                created_at BIGINT NOT NULL, claimed_at BIGINT, revoked_at BIGINT, last_seen_at BIGINT);
            CREATE TABLE hub_devices (
                agent TEXT NOT NULL, device TEXT NOT NULL, specification TEXT NOT NULL, created_at BIGINT NOT NULL, PRIMARY KEY (agent, device));
            CREATE TABLE hub_beats (agent TEXT NOT NULL, at BIGINT NOT NULL, beat TEXT NOT NULL, PRIMARY KEY (agent, at));
            CREATE TABLE hub_events (id BIGINT NOT NULL PRIMARY KEY, at BIGINT NOT NULL, kind TEXT NOT NULL, agent TEXT NOT NULL, details TEXT NOT NULL);
            CREATE TABLE hub_audit (
                at BIGINT NOT NULL, who TEXT NOT NULL, source TEXT NOT NULL, agent TEXT NOT NULL, device TEXT, action TEXT NOT NULL,
                correlation_id BIGINT, result TEXT NOT NULL, milliseconds BIGINT NOT NULL);
            CREATE INDEX hub_audit_at ON hub_audit (at);
            CREATE TABLE hub_tokens (
                name TEXT NOT NULL PRIMARY KEY, hash TEXT NOT NULL, role BIGINT NOT NULL, agents TEXT NOT NULL, expires_at BIGINT);
            CREATE TABLE hub_numbers (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL);
            """),
    ];

    public static async Task<HubStore> OpenAsync(HubOptions options, CancellationToken cancellationToken)
    {
        if (options.Database is null) Directory.CreateDirectory(options.Folder);
        var database = await Database.OpenAsync(new StorageOptions { Database = options.DatabaseName }, cancellationToken);
        try
        {
            await database.MigrateAsync("hub", Migrations, cancellationToken);
            return new HubStore(database);
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    public Task<List<AgentRecord>> AgentsAsync(CancellationToken cancellationToken) =>
        database.ReadAsync((s, token) => s.QueryAsync($"SELECT {AgentColumns} FROM hub_agents ORDER BY id", ReadAgent, null, token), cancellationToken);

    public async Task<AgentRecord?> AgentAsync(string id, CancellationToken cancellationToken)
    {
        var found = await database.ReadAsync(
            (s, token) => s.QueryAsync($"SELECT {AgentColumns} FROM hub_agents WHERE id = @id", ReadAgent, [("id", id)], token), cancellationToken);
        return found.FirstOrDefault();
    }

    /// <summary>Adds an agent, or gives a known one another certificate; whoever was shut out may come again.</summary>
    public Task SaveCertificateAsync(AgentRecord agent, CancellationToken cancellationToken) => database.WriteAsync(
        (s, token) => s.ExecuteAsync(
            """
            INSERT INTO hub_agents (id, name, fingerprint, not_after, pinned, created_at, claimed_at)
            VALUES (@id, @name, @fingerprint, @notAfter, @pinned, @created, @claimed)
            ON CONFLICT (id) DO UPDATE SET
                fingerprint = @fingerprint, not_after = @notAfter, pinned = @pinned, revoked_at = NULL, claimed_at = COALESCE(hub_agents.claimed_at, @claimed)
            """,
            [
                ("id", agent.Id), ("name", agent.Name), ("fingerprint", agent.Fingerprint), ("notAfter", Number(agent.NotAfter)),
                ("pinned", agent.IsPinned ? 1L : 0L), ("created", Number(agent.CreatedAt)), ("claimed", Number(agent.ClaimedAt)),
            ],
            token),
        cancellationToken);

    public Task<int> RenameAsync(string id, string name, CancellationToken cancellationToken) =>
        WriteAsync("UPDATE hub_agents SET name = @name WHERE id = @id", [("id", id), ("name", name)], cancellationToken);

    public Task<int> ClaimAsync(string id, DateTimeOffset at, CancellationToken cancellationToken) => WriteAsync(
        "UPDATE hub_agents SET claimed_at = @at WHERE id = @id AND claimed_at IS NULL", [("id", id), ("at", Number(at))], cancellationToken);

    public Task<int> RevokeAsync(string id, DateTimeOffset at, CancellationToken cancellationToken) => WriteAsync(
        "UPDATE hub_agents SET revoked_at = @at WHERE id = @id AND revoked_at IS NULL", [("id", id), ("at", Number(at))], cancellationToken);

    public Task<int> RemoveAgentAsync(string id, CancellationToken cancellationToken) => database.WriteAsync(
        async (s, token) =>
        {
            await s.ExecuteAsync("DELETE FROM hub_devices WHERE agent = @id", [("id", id)], token);
            await s.ExecuteAsync("DELETE FROM hub_beats WHERE agent = @id", [("id", id)], token);
            return await s.ExecuteAsync("DELETE FROM hub_agents WHERE id = @id", [("id", id)], token);
        },
        cancellationToken);

    public Task<List<(string Device, DateTimeOffset CreatedAt)>> DevicesAsync(string agent, CancellationToken cancellationToken) => database.ReadAsync(
        (s, token) => s.QueryAsync(
            "SELECT device, created_at FROM hub_devices WHERE agent = @agent ORDER BY device",
            r => (r.GetString(0), Time(r.GetInt64(1))), [("agent", agent)], token),
        cancellationToken);

    public Task<List<(string Device, string Specification)>> SpecificationsAsync(string agent, CancellationToken cancellationToken) => database.ReadAsync(
        (s, token) => s.QueryAsync(
            "SELECT device, specification FROM hub_devices WHERE agent = @agent ORDER BY device",
            r => (r.GetString(0), r.GetString(1)), [("agent", agent)], token),
        cancellationToken);

    public Task SaveDeviceAsync(string agent, string device, string specification, DateTimeOffset at, CancellationToken cancellationToken) => WriteAsync(
        """
        INSERT INTO hub_devices (agent, device, specification, created_at) VALUES (@agent, @device, @specification, @at)
        ON CONFLICT (agent, device) DO UPDATE SET specification = @specification, created_at = @at
        """,
        [("agent", agent), ("device", device), ("specification", specification), ("at", Number(at))], cancellationToken);

    public Task<int> RemoveDeviceAsync(string agent, string device, CancellationToken cancellationToken) => WriteAsync(
        "DELETE FROM hub_devices WHERE agent = @agent AND device = @device", [("agent", agent), ("device", device)], cancellationToken);

    public Task<List<(DateTimeOffset At, string Beat)>> BeatsAsync(
        string agent, DateTimeOffset from, DateTimeOffset to, int most, CancellationToken cancellationToken) => database.ReadAsync(
        (s, token) => s.QueryAsync(
            "SELECT at, beat FROM hub_beats WHERE agent = @agent AND at >= @from AND at <= @to ORDER BY at DESC LIMIT @most",
            r => (Time(r.GetInt64(0)), r.GetString(1)),
            [("agent", agent), ("from", Number(from)), ("to", Number(to)), ("most", (long)most)], token),
        cancellationToken);

    /// <summary>Writes what has gathered, in one transaction.</summary>
    public Task SaveHistoryAsync(
        IReadOnlyCollection<HubEvent> events, IReadOnlyCollection<(string Agent, DateTimeOffset At, string Beat)> beats,
        IReadOnlyCollection<(string Agent, DateTimeOffset At)> seen, CancellationToken cancellationToken) => database.WriteAsync(
        async (s, token) =>
        {
            await s.ExecuteManyAsync(
                "INSERT INTO hub_events (id, at, kind, agent, details) VALUES (@id, @at, @kind, @agent, @details) ON CONFLICT (id) DO NOTHING",
                ["id", "at", "kind", "agent", "details"],
                events.Select(e => new object?[] { e.Id, Number(e.At), e.Kind, e.Agent, e.Details.GetRawText() }), token);
            await s.ExecuteManyAsync(
                "INSERT INTO hub_beats (agent, at, beat) VALUES (@agent, @at, @beat) ON CONFLICT (agent, at) DO NOTHING",
                ["agent", "at", "beat"], beats.Select(b => new object?[] { b.Agent, Number(b.At), b.Beat }), token);
            return await s.ExecuteManyAsync(
                "UPDATE hub_agents SET last_seen_at = @at WHERE id = @agent", ["agent", "at"],
                seen.Select(b => new object?[] { b.Agent, Number(b.At) }), token);
        },
        cancellationToken);

    public Task<List<HubEvent>> EventsAsync(long after, int most, CancellationToken cancellationToken) => database.ReadAsync(
        (s, token) => s.QueryAsync(
            "SELECT id, at, kind, agent, details FROM hub_events WHERE id > @after ORDER BY id LIMIT @most", ReadEvent,
            [("after", after), ("most", (long)most)], token),
        cancellationToken);

    public async Task<long> LastEventAsync(CancellationToken cancellationToken) =>
        await database.ReadAsync((s, token) => s.NumberAsync("SELECT MAX(id) FROM hub_events", null, token), cancellationToken) ?? 0;

    public Task SaveAuditAsync(AuditEntry entry, CancellationToken cancellationToken) => WriteAsync(
        """
        INSERT INTO hub_audit (at, who, source, agent, device, action, correlation_id, result, milliseconds)
        VALUES (@at, @who, @source, @agent, @device, @action, @correlation, @result, @milliseconds)
        """,
        [
            ("at", Number(entry.At)), ("who", entry.Who), ("source", entry.Source), ("agent", entry.Agent), ("device", entry.Device),
            ("action", entry.Action), ("correlation", entry.CorrelationId), ("result", entry.Result), ("milliseconds", entry.Milliseconds),
        ],
        cancellationToken);

    public Task<List<AuditEntry>> AuditAsync(string? agent, DateTimeOffset before, int most, CancellationToken cancellationToken) => database.ReadAsync(
        (s, token) => s.QueryAsync(
            "SELECT at, who, source, agent, device, action, correlation_id, result, milliseconds FROM hub_audit WHERE at < @before "
            + (agent is null ? "" : "AND agent = @agent ") + "ORDER BY at DESC LIMIT @most",
            ReadAudit,
            agent is null ? [("before", Number(before)), ("most", (long)most)] : [("before", Number(before)), ("most", (long)most), ("agent", agent)], token),
        cancellationToken);

    public Task<List<TokenRecord>> TokensAsync(CancellationToken cancellationToken) => database.ReadAsync(
        (s, token) => s.QueryAsync("SELECT name, hash, role, agents, expires_at FROM hub_tokens ORDER BY name", ReadToken, null, token), cancellationToken);

    public Task<int> SaveTokenAsync(TokenRecord token, CancellationToken cancellationToken) => WriteAsync(
        """
        INSERT INTO hub_tokens (name, hash, role, agents, expires_at) VALUES (@name, @hash, @role, @agents, @expires)
        ON CONFLICT (name) DO UPDATE SET hash = @hash, role = @role, agents = @agents, expires_at = @expires
        """,
        [
            ("name", token.Name), ("hash", token.Hash), ("role", (long)token.Role), ("agents", string.Join(',', token.Agents)),
            ("expires", Number(token.ExpiresAt)),
        ],
        cancellationToken);

    public Task<int> RemoveTokenAsync(string name, CancellationToken cancellationToken) =>
        WriteAsync("DELETE FROM hub_tokens WHERE name = @name", [("name", name)], cancellationToken);

    /// <summary>Takes a range of numbers that nobody gets again, over restarts too.</summary>
    /// <returns>The first of them.</returns>
    public Task<long> ReserveNumbersAsync(string name, long count, CancellationToken cancellationToken) => database.WriteAsync(
        async (s, token) =>
        {
            var first = await s.NumberAsync("SELECT value FROM hub_numbers WHERE name = @name", [("name", name)], token) ?? 1;
            await s.ExecuteAsync(
                "INSERT INTO hub_numbers (name, value) VALUES (@name, @next) ON CONFLICT (name) DO UPDATE SET value = @next",
                [("name", name), ("next", first + count)], token);
            return first;
        },
        cancellationToken);

    public Task ForgetAsync(DateTimeOffset beatsBefore, DateTimeOffset eventsBefore, CancellationToken cancellationToken) => database.WriteAsync(
        async (s, token) =>
        {
            await s.ExecuteAsync("DELETE FROM hub_beats WHERE at < @before", [("before", Number(beatsBefore))], token);
            await s.ExecuteAsync("DELETE FROM hub_events WHERE at < @before", [("before", Number(eventsBefore))], token);
            return await s.ExecuteAsync("DELETE FROM hub_audit WHERE at < @before", [("before", Number(eventsBefore))], token);
        },
        cancellationToken);

    public ValueTask DisposeAsync() => database.DisposeAsync();

    private Task<int> WriteAsync(string sql, IReadOnlyList<(string, object?)> parameters, CancellationToken cancellationToken) =>
        database.WriteAsync((s, token) => s.ExecuteAsync(sql, parameters, token), cancellationToken);

    private static AgentRecord ReadAgent(DbDataReader r) => new(
        r.GetString(0), r.GetString(1), r.GetString(2), Time(r.GetInt64(3)), r.GetInt64(4) != 0, Time(r.GetInt64(5)), TimeOrNull(r, 6), TimeOrNull(r, 7),
        TimeOrNull(r, 8));

    private static HubEvent ReadEvent(DbDataReader r)
    {
        using var details = JsonDocument.Parse(r.GetString(4));
        return new HubEvent(r.GetInt64(0), Time(r.GetInt64(1)), r.GetString(2), r.GetString(3), details.RootElement.Clone());
    }

    private static AuditEntry ReadAudit(DbDataReader r) => new(
        Time(r.GetInt64(0)), r.GetString(1), r.GetString(2), r.GetString(3), r.IsDBNull(4) ? null : r.GetString(4), r.GetString(5),
        r.IsDBNull(6) ? null : r.GetInt64(6), r.GetString(7), r.GetInt64(8));

    private static TokenRecord ReadToken(DbDataReader r) => new(
        r.GetString(0), r.GetString(1), (HubRole)r.GetInt64(2), r.GetString(3).Split(',', StringSplitOptions.RemoveEmptyEntries), TimeOrNull(r, 4));

    private static long Number(DateTimeOffset time) => time.ToUnixTimeMilliseconds();

    private static object? Number(DateTimeOffset? time) => time?.ToUnixTimeMilliseconds();

    private static DateTimeOffset Time(long number) => DateTimeOffset.FromUnixTimeMilliseconds(number);

    private static DateTimeOffset? TimeOrNull(DbDataReader r, int column) => r.IsDBNull(column) ? null : Time(r.GetInt64(column));
}
