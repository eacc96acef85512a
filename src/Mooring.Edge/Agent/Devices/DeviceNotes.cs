namespace Mooring.Edge.Agent.Devices;

/// <summary>What an operator should know about a device that works: what was done without, what failed beside it. Kept while the agent runs.</summary>
internal sealed class DeviceNotes
{
    /// <summary>Warnings kept for one device; the oldest goes first.</summary>
    internal const int MaxWarnings = 16;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Notes> _notes = new(StringComparer.Ordinal);

    /// <summary>Adds a warning unless it is there.</summary>
    public void Warn(string device, string warning)
    {
        lock (_gate)
        {
            var warnings = Of(device).Warnings;
            if (warnings.Contains(warning)) return;
            if (warnings.Count == MaxWarnings) warnings.RemoveAt(0);
            warnings.Add(warning);
        }
    }

    /// <summary>Removes the warnings that begin with a text.</summary>
    public void Resolve(string device, string beginning)
    {
        lock (_gate) Of(device).Warnings.RemoveAll(w => w.StartsWith(beginning, StringComparison.Ordinal));
    }

    /// <summary>Counts a restart by the agent.</summary>
    public void CountRestart(string device)
    {
        lock (_gate) Of(device).Restarts++;
    }

    /// <summary>The warnings of a device, and how often the agent restarted it.</summary>
    public (IReadOnlyList<string> Warnings, int Restarts) Read(string device)
    {
        lock (_gate) return _notes.TryGetValue(device, out var notes) ? ([.. notes.Warnings], notes.Restarts) : ([], 0);
    }

    /// <summary>Forgets all of a device.</summary>
    public void Clear(string device)
    {
        lock (_gate) _notes.Remove(device);
    }

    private Notes Of(string device)
    {
        if (!_notes.TryGetValue(device, out var notes)) _notes[device] = notes = new Notes();
        return notes;
    }

    private sealed class Notes
    {
        public List<string> Warnings { get; } = [];

        public int Restarts { get; set; }
    }
}
