namespace Mooring.Mqtt.Broker.Connections;

/// <summary>
/// The connections that one thread has written to and that are flushed together at the end of its turn, so that many packets leave in
/// one send. An I/O thread has one for life; any other opens one around a piece of work that does not await.
/// </summary>
internal sealed class FlushBatch
{
    private const int InitialOutputs = 64;

    [ThreadStatic]
    private static FlushBatch? s_current;

    [ThreadStatic]
    private static FlushBatch? s_spare;

    private readonly List<IConnectionOutput> _touched = new(InitialOutputs);

    /// <summary>Leaves the flush of <paramref name="output"/> to this thread's batch. False when it has none.</summary>
    internal static bool TryAdd(IConnectionOutput output)
    {
        if (s_current is not { } batch) return false;
        batch._touched.Add(output);
        return true;
    }

    /// <summary>Opens a batch until the scope is disposed; inside another one it does nothing.</summary>
    internal static Scope Begin() => s_current is null ? new Scope(s_current = s_spare ??= new FlushBatch()) : default;

    /// <summary>Makes this the batch of the calling thread for good.</summary>
    internal void Attach() => s_current = this;

    /// <summary>Adds one that another thread wrote to.</summary>
    internal void Add(IConnectionOutput output) => _touched.Add(output);

    internal void Flush()
    {
        // Flushing may make the broker write more (a window opened), hence the index.
        for (var i = 0; i < _touched.Count; i++) _touched[i].Flush();
        _touched.Clear();
    }

    /// <summary>The end of a batch.</summary>
    internal readonly ref struct Scope(FlushBatch? batch)
    {
        public void Dispose()
        {
            if (batch is null) return;
            batch.Flush();
            s_current = null;
        }
    }
}
