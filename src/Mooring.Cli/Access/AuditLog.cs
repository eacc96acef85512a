using System.Threading.Channels;
using Mooring.Storage;

namespace Mooring.Cli.Access;

/// <summary>
/// The audit log: entries are written by one task, as many at a time as have gathered, so that an action does not wait for the disk.
/// </summary>
internal sealed partial class AuditLog(AccessStore store, AccessLimits limits, TimeProvider time, ILogger<AuditLog> logger) : BackgroundService
{
    internal const int PageMax = 1000;

    private readonly ILogger _logger = logger;
    private readonly Channel<AuditEntry> _waiting = Channel.CreateBounded<AuditEntry>(new BoundedChannelOptions(limits.AuditQueue) { SingleReader = true });

    internal ValueTask NoteAsync(string who, string role, string from, string action, string outcome, TimeSpan took) =>
        _waiting.Writer.WriteAsync(new AuditEntry(0, time.GetUtcNow(), who, role, from, action, outcome, (long)took.TotalMilliseconds));

    /// <summary>Entries before a number, the newest first.</summary>
    internal static Task<List<AuditEntry>> ReadAsync(AccessStore store, long before, int count, CancellationToken cancellationToken) =>
        store.Database.ReadAsync((session, token) => session.QueryAsync(
            "SELECT id, at, who, role, source, action, outcome, milliseconds FROM access_audit WHERE id < @before ORDER BY id DESC LIMIT @count",
            row => new AuditEntry(
                row.GetInt64(0), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)), row.GetString(2), row.GetString(3), row.GetString(4), row.GetString(5),
                row.GetString(6), row.GetInt64(7)),
            [("before", before), ("count", (long)count)], token), cancellationToken);

    /// <summary>Writes entries with the numbers that follow.</summary>
    internal static Task<int> WriteAsync(AccessStore store, IReadOnlyList<AuditEntry> entries, CancellationToken cancellationToken) =>
        store.Database.WriteAsync(async (session, token) =>
        {
            var last = await session.NumberAsync("SELECT MAX(id) FROM access_audit", null, token) ?? 0;
            return await session.ExecuteManyAsync(
                "INSERT INTO access_audit (id, at, who, role, source, action, outcome, milliseconds) VALUES (@id, @at, @who, @role, @source, @action, @outcome, @milliseconds)",
                ["id", "at", "who", "role", "source", "action", "outcome", "milliseconds"],
                entries.Select(e => new object?[] { ++last, e.At.ToUnixTimeMilliseconds(), e.Who, e.Role, e.From, e.Action, e.Outcome, e.Milliseconds }), token);
        }, cancellationToken);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        // What was noted is written before the program ends.
        _waiting.Writer.TryComplete();
        if (ExecuteTask is { } writing) await writing.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await store.Database.WriteAsync((session, token) => session.ExecuteAsync(
            "DELETE FROM access_audit WHERE id <= (SELECT MAX(id) FROM access_audit) - @most", [("most", (long)limits.AuditEntriesMax)], token), stoppingToken);
        var batch = new List<AuditEntry>();
        while (await _waiting.Reader.WaitToReadAsync(CancellationToken.None))
        {
            batch.Clear();
            while (batch.Count < limits.AuditQueue && _waiting.Reader.TryRead(out var entry)) batch.Add(entry);
            try
            {
                await WriteAsync(store, batch, CancellationToken.None);
            }
            catch (Exception exception) when (exception is StorageException or System.Data.Common.DbException)
            {
                // Into the log instead: a full disk must not stop a plant, and the entry must not be lost.
                LogNotWritten(exception.Message);
                foreach (var entry in batch) LogEntry(entry.At, entry.Who, entry.From, entry.Action, entry.Outcome);
            }
        }
    }

    [LoggerMessage(9300, LogLevel.Error, "the audit log cannot be written: {Why}")]
    private partial void LogNotWritten(string why);

    [LoggerMessage(9301, LogLevel.Warning, "audit: {At} {Who} from {From}: {Action}: {Outcome}")]
    private partial void LogEntry(DateTimeOffset at, string who, string from, string action, string outcome);
}
