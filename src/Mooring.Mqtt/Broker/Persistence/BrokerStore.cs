using Mooring.Mqtt.Broker.Routing;
using Mooring.Mqtt.Broker.Sessions;

namespace Mooring.Mqtt.Broker.Persistence;

/// <summary>The data folder: reads what is there, decides when the journal is written anew, and tries again after a failure.</summary>
internal sealed class BrokerStore(MqttStorageOptions options, BrokerLog log, long wallClockOrigin) : IDisposable
{
    /// <summary>Between two attempts to write to a folder that could not be written.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    private FolderLock? _lock;
    private Journal? _journal;
    private Task _checkpoint = Task.CompletedTask;
    private long _checkpointBytes = options.CheckpointBytes;
    private long _nextAttempt;
    private bool _wasFailed;

    internal Journal Journal => _journal ?? throw new InvalidOperationException("the data folder is not open");

    /// <summary>Milliseconds of UTC at which the broker's clock was zero.</summary>
    internal long WallClockOrigin => wallClockOrigin;

    /// <summary>Locks the folder and reads it.</summary>
    /// <exception cref="StorageException">It is in use, cannot be read, or was written by a later version.</exception>
    internal StoredState Open()
    {
        _lock = FolderLock.Take(options.Folder);
        try
        {
            var replay = new JournalReplay(wallClockOrigin);
            var last = 0L;
            foreach (var (number, path) in Segment.In(options.Folder))
            {
                Replay(path, replay);
                last = number;
            }

            var state = replay.Finish();
            _journal = new Journal(options, last, state.LastSession, state.LastMessage, wallClockOrigin);
            return state;
        }
        catch (Exception error)
        {
            _lock.Dispose();
            throw error is UnauthorizedAccessException
                ? new StorageException($"the data folder '{options.Folder}' cannot be read: {error.Message}", error)
                : error;
        }
    }

    /// <summary>Writes everything that lives anew and deletes what came before.</summary>
    internal void Checkpoint(Func<IReadOnlyCollection<Session>> sessions, RetainedStore retained)
    {
        if (!Journal.BeginCheckpoint())
        {
            return;
        }

        // Asked now: a session that is kept from here on writes itself into the new files.
        foreach (var session in sessions())
        {
            session.WriteWhole();
        }

        retained.WriteWhole(Journal);
        _checkpointBytes = Math.Max(options.CheckpointBytes, Journal.BytesSinceCheckpoint * 2);
        Journal.EndCheckpoint();
    }

    /// <summary>Once a second: writes what has gathered, begins a checkpoint when it is due, tells of failures.</summary>
    internal void Tick(long now, Func<IReadOnlyCollection<Session>> sessions, RetainedStore retained)
    {
        Journal.Commit();
        var isFailed = Journal.IsFailed;
        if (isFailed != _wasFailed)
        {
            _wasFailed = isFailed;
            if (isFailed)
            {
                log.StorageFailed(options.Folder, Journal.Failure);
            }
            else
            {
                log.StorageRecovered(options.Folder);
            }
        }

        var isDue = isFailed ? now >= _nextAttempt : Journal.BytesSinceCheckpoint > _checkpointBytes;
        if (isDue && _checkpoint.IsCompleted)
        {
            _nextAttempt = now + (long)RetryAfter.TotalMilliseconds;
            _checkpoint = Task.Run(() => Checkpoint(sessions, retained));
        }
    }

    public void Dispose()
    {
        _checkpoint.Wait();
        _journal?.Dispose();
        _lock?.Dispose();
    }

    private void Replay(string path, JournalReplay replay)
    {
        var content = File.ReadAllBytes(path);
        if (Segment.ReadSalt(path, content) is not { } salt)
        {
            log.Torn(path, content.Length);
            return;
        }

        var reader = new SegmentReader(content, salt);
        while (reader.TryRead(out var type, out var body))
        {
            replay.Apply(type, body);
        }

        if (reader.DamagedBytes > 0)
        {
            log.Damaged(path, reader.DamagedBytes);
        }
        else if (reader.TornBytes > 0)
        {
            log.Torn(path, reader.TornBytes);
        }
    }
}
