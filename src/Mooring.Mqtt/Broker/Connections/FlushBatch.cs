namespace Mooring.Mqtt.Broker.Connections;

/// <summary>
/// What one thread writes between the beginning and the end of the batch leaves in one send for each connection. For threads that are
/// not a transport's own; those batch by turns.
/// </summary>
internal readonly ref struct FlushBatch
{
    private const int InitialOutputs = 8;

    [ThreadStatic]
    private static List<IConnectionOutput>? s_touched;

    private readonly List<IConnectionOutput> _touched;

    private FlushBatch(List<IConnectionOutput> touched) => _touched = touched;

    internal static FlushBatch Begin() => new(s_touched = new List<IConnectionOutput>(InitialOutputs));

    /// <summary>Flushes at the end of this thread's batch, or now when it has none.</summary>
    internal static void Request(IConnectionOutput output)
    {
        if (s_touched is not { } touched)
        {
            output.RequestFlush();
        }
        else if (touched.Count == 0 || touched[^1] != output)
        {
            touched.Add(output);
        }
    }

    public void Dispose()
    {
        s_touched = null;
        foreach (var output in _touched)
        {
            output.RequestFlush();
        }
    }
}
