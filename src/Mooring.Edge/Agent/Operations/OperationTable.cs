namespace Mooring.Edge.Agent.Operations;

/// <summary>
/// Which devices are being worked on. One operation for each device at a time; a failed one stays to be read until the next begins.
/// Running operations are kept in a journal, so that an agent that was killed knows what it left half done.
/// </summary>
/// <param name="journal">Told of every change before anybody else sees it.</param>
/// <param name="time">Clock of the time stamps.</param>
internal sealed class OperationTable(IOperationJournal journal, TimeProvider time)
{
    /// <summary>Failed operations kept to be read; beyond, the oldest is forgotten: names that never become devices must not pile up.</summary>
    internal const int MaxFailures = 256;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Operation> _operations = new(StringComparer.Ordinal);

    /// <summary>Raised after an operation came to its end, outside the lock: device, kind, error or null.</summary>
    public event Action<string, OperationKind, string?>? Ended;

    /// <summary>Begins an operation unless one runs.</summary>
    /// <param name="name">The device.</param>
    /// <param name="kind">What is going to be done.</param>
    /// <param name="running">The operation that runs already, when the answer is false.</param>
    /// <returns>Whether it began.</returns>
    public bool TryBegin(string name, OperationKind kind, out Operation? running)
    {
        lock (_lock)
        {
            if (_operations.TryGetValue(name, out running) && !running.HasFailed) return false;
            var now = time.GetUtcNow();
            var operation = new Operation(name, kind, now, now);
            journal.Record(operation);
            _operations[name] = operation;
            running = null;
            return true;
        }
    }

    /// <summary>Records how far an operation is; nothing happens when none runs.</summary>
    public void Step(string name, string step) => Change(name, o => o with { Step = step, Pull = null }, toJournal: true);

    /// <summary>Records the progress of a pull; it is not worth a line in the journal.</summary>
    public void Progress(string name, PullState pull) => Change(name, o => o with { Pull = pull }, toJournal: false);

    /// <summary>Ends an operation with an error. One that nobody began is entered, so that the error can be read.</summary>
    public void Fail(string name, string error, OperationKind kind = OperationKind.Unknown)
    {
        Operation failed;
        lock (_lock)
        {
            var now = time.GetUtcNow();
            var operation = _operations.TryGetValue(name, out var known) ? known : new Operation(name, kind, now, now);
            failed = operation with { Error = error, UpdatedAt = now, Pull = null };
            _operations[name] = failed;
            journal.Forget(name);
            ForgetOldestFailure();
        }
        Ended?.Invoke(name, failed.Kind, error);
    }

    /// <summary>Ends an operation with success, or forgets a failed one.</summary>
    public void Clear(string name)
    {
        Operation? operation;
        lock (_lock)
        {
            if (!_operations.Remove(name, out operation)) return;
            journal.Forget(name);
        }
        if (!operation.HasFailed) Ended?.Invoke(name, operation.Kind, null);
    }

    /// <summary>The operation on a device, running or failed; null when there is none.</summary>
    public Operation? Find(string name)
    {
        lock (_lock) return _operations.GetValueOrDefault(name);
    }

    /// <summary>Whether work on a device is going on.</summary>
    public bool IsRunning(string name) => Find(name) is { HasFailed: false };

    /// <summary>All operations, running and failed.</summary>
    public IReadOnlyList<Operation> Snapshot()
    {
        lock (_lock) return [.. _operations.Values];
    }

    private void Change(string name, Func<Operation, Operation> change, bool toJournal)
    {
        lock (_lock)
        {
            if (!_operations.TryGetValue(name, out var operation) || operation.HasFailed) return;
            var changed = change(operation) with { UpdatedAt = time.GetUtcNow() };
            if (toJournal) journal.Record(changed);
            _operations[name] = changed;
        }
    }

    private void ForgetOldestFailure()
    {
        var failures = _operations.Values.Where(o => o.HasFailed).ToList();
        if (failures.Count > MaxFailures) _operations.Remove(failures.MinBy(o => o.UpdatedAt)!.Name);
    }
}
