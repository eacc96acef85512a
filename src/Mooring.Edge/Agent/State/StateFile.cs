using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Mooring.Kernel.Files;

namespace Mooring.Edge.Agent.State;

/// <summary>How a file of the agent's state was found at the start.</summary>
internal enum StateFileFinding
{
    /// <summary>Whole, or not there yet.</summary>
    Good,

    /// <summary>Broken; its backup was taken.</summary>
    Restored,

    /// <summary>Broken, and its backup too: what it held is not known.</summary>
    Lost,
}

/// <summary>
/// A dictionary in a JSON file, whole in memory. Written atomically with a backup; a broken file is moved aside, never written over.
/// </summary>
/// <typeparam name="T">What an entry is.</typeparam>
internal sealed class StateFile<T>
    where T : class
{
    private readonly string _path;
    private readonly JsonTypeInfo<SortedDictionary<string, T>> _type;
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, T> _entries;

    /// <summary>Loads the file.</summary>
    /// <param name="path">The file; its folder is made.</param>
    /// <param name="type">How it is written.</param>
    /// <param name="time">Stamps a broken file that is moved aside.</param>
    /// <param name="formerPath">Where an earlier program kept the same; read when <paramref name="path"/> is not there.</param>
    public StateFile(string path, JsonTypeInfo<SortedDictionary<string, T>> type, TimeProvider time, string? formerPath = null)
    {
        _path = path;
        _type = type;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.DeleteLeftovers(path);
        var source = !File.Exists(path) && formerPath is not null && File.Exists(formerPath) ? formerPath : path;
        _entries = Load(source, time);
    }

    /// <summary>How the file was found.</summary>
    public StateFileFinding Finding { get; private set; }

    /// <summary>The file, for messages to people.</summary>
    public string FilePath => _path;

    /// <summary>One entry; null when there is none.</summary>
    public T? Find(string name)
    {
        lock (_gate) return _entries.GetValueOrDefault(name);
    }

    /// <summary>All entries, ordered by name.</summary>
    public IReadOnlyList<KeyValuePair<string, T>> Snapshot()
    {
        lock (_gate) return [.. _entries];
    }

    /// <summary>Sets an entry. When this returns, it is on disk; when it throws, nothing has changed.</summary>
    public void Set(string name, T entry) => Change(entries => entries[name] = entry);

    /// <summary>Changes an entry that is there.</summary>
    /// <returns>Whether it was.</returns>
    public bool Update(string name, Func<T, T> change)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue(name, out var entry)) return false;
            var changed = change(entry);
            if (Equals(changed, entry)) return true;
            Change(entries => entries[name] = changed);
            return true;
        }
    }

    /// <summary>Removes an entry.</summary>
    /// <returns>Whether it was there.</returns>
    public bool Remove(string name)
    {
        lock (_gate)
        {
            if (!_entries.ContainsKey(name)) return false;
            Change(entries => entries.Remove(name));
            return true;
        }
    }

    private void Change(Action<SortedDictionary<string, T>> change)
    {
        lock (_gate)
        {
            var changed = new SortedDictionary<string, T>(_entries, StringComparer.Ordinal);
            change(changed);
            AtomicFile.Write(_path, JsonSerializer.SerializeToUtf8Bytes(changed, _type), new AtomicFileOptions { KeepBackup = true });
            change(_entries);
        }
    }

    private SortedDictionary<string, T> Load(string path, TimeProvider time)
    {
        if (TryRead(path, out var entries)) return entries;
        // The evidence is kept: what an operator can still read by eye must not be written over.
        var stamp = time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        File.Move(path, $"{path}.broken-{stamp}", overwrite: true);
        var isRestored = File.Exists(path + ".bak") && TryRead(path + ".bak", out entries);
        Finding = isRestored ? StateFileFinding.Restored : StateFileFinding.Lost;
        return isRestored ? entries : new SortedDictionary<string, T>(StringComparer.Ordinal);
    }

    private bool TryRead(string path, out SortedDictionary<string, T> entries)
    {
        entries = new SortedDictionary<string, T>(StringComparer.Ordinal);
        if (!File.Exists(path)) return true;
        try
        {
            var read = JsonSerializer.Deserialize(File.ReadAllBytes(path), _type);
            if (read is null) return false;
            foreach (var (name, entry) in read)
            {
                if (entry is null) return false;
                entries[name] = entry;
            }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
