namespace Mooring.Edge.Agent.Upkeep;

/// <summary>When a device is looked at next, and what the last looks found. One look at a time. Moments are steady time.</summary>
internal sealed class Look
{
    private readonly Lock _gate = new();
    private readonly List<TimeSpan> _restarts = [];
    private bool _isRunning;
    private bool _isOutdated;

    /// <summary>When it is due. Set by <see cref="Change"/> only.</summary>
    public TimeSpan Due { get; set; } = TimeSpan.MaxValue;

    /// <summary>Addresses are to be asked for anew.</summary>
    public bool Renew { get; set; }

    /// <summary>The process for which all is attached; 0 when it is for none.</summary>
    public int AttachedPid { get; private set; }

    /// <summary>Tries to attach that failed in a row.</summary>
    public int Failures { get; set; }

    /// <summary>It was told that the device has no container.</summary>
    public bool IsMissingReported { get; set; }

    /// <summary>Since when the device is left alone; null while it is not.</summary>
    public TimeSpan? GaveUpAt { get; set; }

    /// <summary>When it is due; never while a look is going on.</summary>
    public TimeSpan DueUnlessRunning
    {
        get
        {
            lock (_gate) return _isRunning ? TimeSpan.MaxValue : Due;
        }
    }

    /// <summary>Changes what the next look is to be.</summary>
    public void Change(Action<Look> change)
    {
        lock (_gate) change(this);
    }

    /// <summary>Begins a look that is due.</summary>
    public bool TryBegin(TimeSpan now)
    {
        lock (_gate)
        {
            if (_isRunning || Due > now) return false;
            (Due, _isOutdated) = (TimeSpan.MaxValue, false);
            return _isRunning = true;
        }
    }

    /// <summary>Ends a look.</summary>
    /// <param name="next">When to look again; something that happened meanwhile may have asked for sooner.</param>
    public void End(TimeSpan next)
    {
        lock (_gate)
        {
            _isRunning = false;
            if (next < Due) Due = next;
        }
    }

    /// <summary>Whether addresses are to be asked for anew, once.</summary>
    public bool TakeRenewal()
    {
        lock (_gate) return Renew && !(Renew = false);
    }

    /// <summary>What is attached may be wrong: all is attached anew, also when a look is going on that has seen how it was before.</summary>
    public void Detach_NeedsLock() => (AttachedPid, Failures, _isOutdated) = (0, 0, true);

    /// <summary>All is attached, as it was to be when the look began.</summary>
    public void Attached(int pid)
    {
        lock (_gate) (AttachedPid, Failures) = (Renew || _isOutdated ? 0 : pid, 0);
    }

    /// <summary>Something could not be attached.</summary>
    /// <returns>How many tries in a row have failed.</returns>
    public int Fail(bool renew)
    {
        lock (_gate)
        {
            Renew |= renew;
            return ++Failures;
        }
    }

    /// <summary>Remembers a restart.</summary>
    public void AddRestart(TimeSpan at)
    {
        lock (_gate) _restarts.Add(at);
    }

    /// <summary>How many restarts came after a moment; older ones are forgotten.</summary>
    public int CountRestarts(TimeSpan since)
    {
        lock (_gate)
        {
            _restarts.RemoveAll(at => at < since);
            return _restarts.Count;
        }
    }

    /// <summary>An operator started it: its crashes until now do not count.</summary>
    public void ForgetRestarts()
    {
        lock (_gate)
        {
            _restarts.Clear();
            GaveUpAt = null;
        }
    }
}
