using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Mooring.Chat.Rooms;
using Mooring.Storage;

namespace Mooring.Chat.History;

/// <summary>
/// History in a database. Publishing never waits for it: messages gather for a moment and are written together. No more of a room
/// gather than the room keeps, so a database that is slower than the rooms costs nothing but messages that would be trimmed anyway.
/// </summary>
internal sealed partial class DurableHistory : IHistoryStore, IAsyncDisposable
{
    private const string Slice = "chat";

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly Database _database;
    private readonly int _messagesPerRoom;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _arrived = new(0, 1);
    private readonly CancellationTokenSource _stopping = new();
    private Dictionary<string, PendingRoom> _pending = new(StringComparer.Ordinal);
    private TaskCompletionSource<bool>? _flushed;
    private Task _writing = Task.CompletedTask;

    private DurableHistory(Database database, int messagesPerRoom, TimeProvider time, ILogger logger)
    {
        _database = database;
        _messagesPerRoom = messagesPerRoom;
        _time = time;
        _logger = logger;
    }

    public ulong? Epoch { get; private set; }

    public IReadOnlyList<KeptRoom> Rooms { get; private set; } = [];

    /// <summary>Opens the database and reads what is in it.</summary>
    /// <exception cref="IOException">It cannot be used.</exception>
    internal static async Task<DurableHistory> OpenAsync(
        string database, int messagesPerRoom, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        try
        {
            if (!IsAddress(database) && Path.GetDirectoryName(Path.GetFullPath(database)) is { } folder) Directory.CreateDirectory(folder);
            var opened = await Database.OpenAsync(new StorageOptions { Database = database }, cancellationToken).ConfigureAwait(false);
            var history = new DurableHistory(opened, messagesPerRoom, time, logger);
            try
            {
                await opened.MigrateAsync(Slice, HistoryTables.Migrations, cancellationToken).ConfigureAwait(false);
                await history.LoadAsync(cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                await history.DisposeAsync().ConfigureAwait(false);
                throw;
            }
            history._writing = history.WriteAllAsync();
            return history;
        }
        catch (StorageException exception)
        {
            throw new IOException($"history_store: {exception.Message}", exception);
        }
    }

    public void KeepRoom(Room room)
    {
        lock (_gate)
        {
            var pending = Pending_NeedsLock(room.Name);
            (pending.CreatedBy, pending.CreatedAt, pending.Topic) = (room.CreatedBy, room.CreatedAt, room.Topic);
            pending.Password = room.Password?.ToString() ?? "";
            pending.LastSequence = Math.Max(pending.LastSequence, room.LastSequence);
        }
        Signal();
    }

    public void Keep(string room, KeptMessage message)
    {
        lock (_gate)
        {
            var pending = Pending_NeedsLock(room);
            pending.LastSequence = message.Sequence;
            if (_messagesPerRoom == 0) return;
            if (pending.Messages.Count == _messagesPerRoom) pending.Messages.Dequeue();
            pending.Messages.Enqueue(message);
        }
        Signal();
    }

    public void Delete(string room, long sequence)
    {
        lock (_gate) Pending_NeedsLock(room).Deleted.Add(sequence);
        Signal();
    }

    public void Remove(string room)
    {
        lock (_gate) _pending[room] = new PendingRoom { IsRemoved = true };
        Signal();
    }

    /// <summary>Completes when everything that was kept so far is written; false when that failed.</summary>
    internal async Task<bool> FlushAsync()
    {
        Task<bool> flushed;
        lock (_gate)
        {
            if (_writing.IsCompleted) return false;
            _flushed ??= new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            flushed = _flushed.Task;
        }
        Signal();
        return await flushed.ConfigureAwait(false);
    }

    /// <summary>Writes what is left and notes that nothing is missing, so that sequence numbers go on in the same epoch.</summary>
    public async ValueTask DisposeAsync()
    {
        var isComplete = await FlushAsync().ConfigureAwait(false);
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _writing.ConfigureAwait(false);
        if (isComplete) await TryAsync(session => HistoryTables.SetCompleteAsync(session, true)).ConfigureAwait(false);
        await _database.DisposeAsync().ConfigureAwait(false);
        _stopping.Dispose();
        _arrived.Dispose();
    }

    // A file name has neither; the connection strings of PostgreSQL have one of them.
    private static bool IsAddress(string database) =>
        database.Contains("://", StringComparison.Ordinal) || database.Contains('=', StringComparison.Ordinal);

    private async Task LoadAsync(CancellationToken cancellationToken)
    {
        var (epoch, isComplete, rooms) = await _database.ReadAsync(
            (session, _) => HistoryTables.ReadAsync(session, _messagesPerRoom), cancellationToken).ConfigureAwait(false);
        Rooms = rooms;
        // After a crash the last messages may be missing, and their numbers would be given again: another epoch says so to clients.
        Epoch = isComplete && epoch is { } known ? known : (ulong)BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));
        await _database.WriteAsync(
            async (session, _) =>
            {
                await HistoryTables.SetEpochAsync(session, Epoch.Value).ConfigureAwait(false);
                await HistoryTables.SetCompleteAsync(session, false).ConfigureAwait(false);
                return 0;
            },
            cancellationToken).ConfigureAwait(false);
        LogOpened(_database.Name, rooms.Count, rooms.Sum(room => room.Messages.Count));
    }

    private async Task WriteAllAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await _arrived.WaitAsync(_stopping.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                break;
            }
            var (batch, flushed) = Take();
            var isWritten = batch.Count == 0 || await TryAsync(session => HistoryTables.WriteAsync(session, batch, _messagesPerRoom)).ConfigureAwait(false);
            flushed?.TrySetResult(isWritten);
            if (!isWritten) await GiveBackAsync(batch).ConfigureAwait(false);
        }
    }

    private (Dictionary<string, PendingRoom> Batch, TaskCompletionSource<bool>? Flushed) Take()
    {
        lock (_gate)
        {
            var taken = (_pending, _flushed);
            _pending = new Dictionary<string, PendingRoom>(StringComparer.Ordinal);
            _flushed = null;
            return taken;
        }
    }

    /// <summary>Puts a batch that could not be written in front of what came since, and waits a little.</summary>
    private async Task GiveBackAsync(Dictionary<string, PendingRoom> batch)
    {
        lock (_gate)
        {
            foreach (var (name, older) in batch)
                _pending[name] = _pending.TryGetValue(name, out var newer) ? older.FollowedBy(newer, _messagesPerRoom) : older;
        }
        try
        {
            await Task.Delay(RetryAfter, _time, _stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return;
        }
        Signal();
    }

    private async Task<bool> TryAsync(Func<StorageSession, Task> write)
    {
        try
        {
            return await _database.WriteAsync(async (session, _) =>
            {
                await write(session).ConfigureAwait(false);
                return true;
            }).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is StorageException or System.Data.Common.DbException or IOException)
        {
            LogNotWritten(_database.Name, exception.Message);
            return false;
        }
    }

    private PendingRoom Pending_NeedsLock(string room)
    {
        if (_pending.TryGetValue(room, out var pending)) return pending;
        return _pending[room] = new PendingRoom();
    }

    private void Signal()
    {
        // One count is enough: whoever takes it takes everything.
        if (_arrived.CurrentCount > 0) return;
        try
        {
            _arrived.Release();
        }
        catch (Exception exception) when (exception is SemaphoreFullException or ObjectDisposedException)
        {
            // Another thread was faster, or the server has stopped.
        }
    }

    [LoggerMessage(5030, LogLevel.Information, "history of {Rooms} rooms and {Messages} messages is in {Database}")]
    private partial void LogOpened(string database, int rooms, int messages);

    [LoggerMessage(5031, LogLevel.Warning, "history cannot be written to {Database}, it is tried again: {Why}")]
    private partial void LogNotWritten(string database, string why);
}
