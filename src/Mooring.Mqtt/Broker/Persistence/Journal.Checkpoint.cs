namespace Mooring.Mqtt.Broker.Persistence;

/// <summary>Checkpoints: what lives is written anew into new files, while work goes on; then the older files are deleted.</summary>
internal sealed partial class Journal
{
    private long _firstSegmentOfCheckpoint;

    /// <summary>True when a new file could be begun; then the caller writes everything and calls <see cref="EndCheckpoint"/>.</summary>
    internal bool BeginCheckpoint()
    {
        lock (_commitGate)
        {
            Commit_NeedsCommitGate();
            var wasFailed = _isFailed;
            if (!Begin_NeedsCommitGate())
            {
                return false;
            }

            _firstSegmentOfCheckpoint = _segmentNumber;
            lock (_gate)
            {
                _epoch++;
                if (wasFailed)
                {
                    // What happened meanwhile is in no file: a session's next record must be preceded by all of it.
                    _baseEpoch = _epoch;
                    _isFailed = false;
                }

                Volatile.Write(ref _checkpointStart, _appended);
                Begin(RecordType.CheckpointBegin, 0);
                End();
            }
        }

        return true;
    }

    /// <summary>Deletes the older files once the new ones are on the disk. False when writing failed in between.</summary>
    internal bool EndCheckpoint()
    {
        lock (_gate)
        {
            if (_isFailed)
            {
                return false;
            }

            Begin(RecordType.CheckpointEnd, 0);
            End();
        }

        Flush();
        if (_isFailed)
        {
            return false;
        }

        foreach (var (number, path) in Segment.In(_options.Folder))
        {
            if (number < _firstSegmentOfCheckpoint)
            {
                File.Delete(path);
            }
        }

        return true;
    }
}
