using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Mooring.Web.Live;

/// <summary>
/// Rows that are read again and again, and what changed between two looks, encoded once for everybody who watches. Who is a little behind
/// gets the changes that it missed, who is far behind the whole table: so nothing waits in a queue for anybody.
/// </summary>
internal abstract class LiveTable(string name, ConsoleLimits limits)
{
    private readonly Queue<byte[]> _changes = new();
    private int _watchers;
    private long _version;
    private byte[]? _whole;
    private string? _problem;

    /// <summary>Its name on the wire.</summary>
    public string Name => name;

    /// <summary>Whether anybody looks.</summary>
    public bool IsWatched => Volatile.Read(ref _watchers) > 0;

    protected Lock Gate { get; } = new();

    /// <summary>Somebody looks from now on; what it sees first is fresh.</summary>
    public void Watch()
    {
        lock (Gate)
        {
            if (_watchers++ == 0) Look_NeedsLock();
        }
    }

    public void Leave()
    {
        lock (Gate) _watchers--;
    }

    /// <summary>Reads all rows.</summary>
    /// <returns>Whether any has changed.</returns>
    public bool Look()
    {
        lock (Gate) return Look_NeedsLock();
    }

    /// <summary>What somebody who has seen a version of the table must be told, as events of the stream.</summary>
    /// <param name="seen">The version that was seen; 0 for none.</param>
    /// <param name="parts">Where the events go.</param>
    /// <returns>The version that is seen then.</returns>
    public long Since(long seen, List<byte[]> parts)
    {
        lock (Gate)
        {
            var behind = _version - seen;
            if (behind == 0) return seen;
            if (seen > 0 && behind <= _changes.Count) parts.AddRange(_changes.Skip(_changes.Count - (int)behind));
            else parts.Add(_whole ??= Encode(json => WriteWhole_NeedsLock(json)));
            return _version;
        }
    }

    /// <summary>Reads, and writes <c>set</c> and <c>gone</c> when there is anything to say.</summary>
    protected abstract bool Read_NeedsLock(Utf8JsonWriter json);

    protected abstract void WriteRows_NeedsLock(Utf8JsonWriter json);

    private bool Look_NeedsLock()
    {
        var hasChanged = false;
        string? problem = null;
        var change = Encode(json =>
        {
            try
            {
                hasChanged = Read_NeedsLock(json);
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                // Whatever is wrong with one system is shown in its place, and the others go on.
                problem = exception.Message;
            }
        });
        if (problem is null && _problem is null && !hasChanged && _version > 0) return false;
        if (problem is not null && problem == _problem) return false;
        // After a problem, and before anything, a change says too little.
        var isWhole = problem is not null || _problem is not null || _version == 0;
        _problem = problem;
        _version++;
        _whole = null;
        if (isWhole) _changes.Clear();
        else
        {
            if (_changes.Count == limits.ChangesKept) _changes.Dequeue();
            _changes.Enqueue(change);
        }
        return true;
    }

    private void WriteWhole_NeedsLock(Utf8JsonWriter json)
    {
        json.WriteBoolean("whole"u8, true);
        if (_problem is not null) json.WriteString("problem"u8, _problem);
        json.WriteStartArray("set"u8);
        if (_problem is null) WriteRows_NeedsLock(json);
        json.WriteEndArray();
    }

    private byte[] Encode(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        buffer.Write(Encoding.UTF8.GetBytes($"event: {name}\ndata: "));
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true }))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        buffer.Write("\n\n"u8);
        return buffer.WrittenSpan.ToArray();
    }
}
