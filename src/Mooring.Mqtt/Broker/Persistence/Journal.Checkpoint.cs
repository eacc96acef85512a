namespace Mooring.Mqtt.Broker.Persistence;

/// <summary>Checkpoints: what lives is written anew into new files, while work goes on; then the older files are deleted.</summary>
internal sealed partial class Journal
{
    private long _firstSegmentOfCheckpoint;
    private bool _beganFailed;

    /// <summary>True when a new file could be begun; then the caller writes everything and calls <see cref="EndCheckpoint"/>.</summary>
    internal bool BeginCheckpoint()
    {
        lock (_commitGate)
        {
            Commit_NeedsCommitGate();
            _beganFailed = _isFailed;
            if (!Begin_NeedsCommitGate())
            {
                return false;
            }

            _firstSegmentOfCheckpoint = _segmentNumber;
            lock (_gate)
            {
                _epoch++;
                if (_beganFailed)
                {
                    // What happened meanwhile is in no file: a session's next record must be preceded by all of it.
                    _baseEpoch = _epoch;
                    _isRecovering = true;
                    _isWritable = true;
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
            Begin(RecordType.CheckpointEnd, 0);
            End();
        }

        Flush();
        if (!_isWritable)
        {
            Abandon();
            return false;
        }

        DeleteSegments(number => number < _firstSegmentOfCheckpoint);
        if (_isRecovering)
        {
            lock (_commitGate)
            {
                lock (_gate)
                {
                    _isRecovering = false;
                    _isFailed = !_isWritable;
                }

                Commit_NeedsCommitGate();
            }

            Flush();
        }

        return true;
    }

    /// <summary>
    /// A checkpoint that began after a failure, and failed, leaves nothing behind: nobody was promised anything in it, and its files would
    /// take the room that the next attempt needs.
    /// </summary>
    private void Abandon()
    {
        if (_beganFailed)
        {
            lock (_commitGate)
            {
                _segment?.Dispose();
                _segment = null;
                DeleteSegments(number => number >= _firstSegmentOfCheckpoint);
            }
        }

        ReleaseWaiters();
    }

    private void DeleteSegments(Func<long, bool> which)
    {
        foreach (var (number, path) in Segment.In(_options.Folder).Where(segment => which(segment.Number)))
        {
            File.Delete(path);
        }
    }
}
