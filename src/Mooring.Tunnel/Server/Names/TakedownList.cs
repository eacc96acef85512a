using System.Collections.Concurrent;
using Mooring.Storage;

namespace Mooring.Tunnel.Server.Names;

/// <summary>Names that nobody gets, with what visitors are told instead. Few; all are in memory.</summary>
internal sealed class TakedownList(Database database, TimeProvider time)
{
    internal const int ReasonMax = 500;

    private readonly ConcurrentDictionary<string, Takedown> _byName = new(StringComparer.OrdinalIgnoreCase);

    public IReadOnlyCollection<Takedown> All => [.. _byName.Values];

    public Takedown? Find(string name) => _byName.IsEmpty ? null : _byName.GetValueOrDefault(name);

    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        var rows = await database.ReadAsync(
            (session, stop) => session.QueryAsync(
                "SELECT name, reason, since FROM tunnel_takedowns", row => new Takedown(row.GetString(0), row.GetString(1), row.GetInt64(2)), null, stop),
            cancellationToken);
        foreach (var row in rows) _byName[row.Name] = row;
    }

    public async Task AddAsync(string name, string reason, CancellationToken cancellationToken)
    {
        var added = new Takedown(name, reason, time.GetUtcNow().ToUnixTimeMilliseconds());
        await database.WriteAsync(
            (session, stop) => session.ExecuteAsync(
                "INSERT INTO tunnel_takedowns (name, reason, since) VALUES (@name, @reason, @since) ON CONFLICT (name) DO UPDATE SET reason = excluded.reason",
                [("name", name), ("reason", reason), ("since", added.Since)], stop),
            cancellationToken);
        _byName[name] = added;
    }

    /// <summary>False when the name was not taken down.</summary>
    public async Task<bool> RemoveAsync(string name, CancellationToken cancellationToken)
    {
        await database.WriteAsync((session, stop) => session.ExecuteAsync("DELETE FROM tunnel_takedowns WHERE name = @name", [("name", name)], stop), cancellationToken);
        return _byName.TryRemove(name, out _);
    }
}
