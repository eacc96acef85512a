using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Mooring.Web.Live;

/// <summary>A table of rows that have a key and are compared by value.</summary>
/// <param name="name">Its name on the wire.</param>
/// <param name="limits">Bounds.</param>
/// <param name="read">Reads all rows.</param>
/// <param name="keyOf">The key of a row.</param>
/// <param name="form">How a row is written.</param>
internal sealed class RowTable<TRow>(
    string name, ConsoleLimits limits, Func<IEnumerable<TRow>> read, Func<TRow, string> keyOf, JsonTypeInfo<TRow> form) : LiveTable(name, limits)
    where TRow : IEquatable<TRow>
{
    private readonly Dictionary<string, Entry> _rows = new(StringComparer.Ordinal);
    private long _look;
    private long _stampSeen = -1;

    /// <summary>A number that changes whenever a row does, where there is one: it saves the reading.</summary>
    public Func<long>? Stamp { get; init; }

    /// <summary>Called with the key of a row that is not there any more.</summary>
    public Action<string>? Forgotten { get; init; }

    protected override bool Read_NeedsLock(Utf8JsonWriter json)
    {
        if (Stamp?.Invoke() is { } stamp)
        {
            if (stamp == _stampSeen) return false;
            _stampSeen = stamp;
        }
        _look++;
        var seen = 0;
        var changed = 0;
        foreach (var row in read())
        {
            ref var entry = ref CollectionsMarshal.GetValueRefOrAddDefault(_rows, keyOf(row), out var isKnown);
            if (entry.Look != _look) seen++;
            entry.Look = _look;
            if (isKnown && entry.Row.Equals(row)) continue;
            entry.Row = row;
            if (changed++ == 0) json.WriteStartArray("set"u8);
            JsonSerializer.Serialize(json, row, form);
        }
        if (changed > 0) json.WriteEndArray();
        return (seen < _rows.Count && RemoveGone_NeedsLock(json)) || changed > 0;
    }

    protected override void WriteRows_NeedsLock(Utf8JsonWriter json)
    {
        foreach (var entry in _rows.Values) JsonSerializer.Serialize(json, entry.Row, form);
    }

    private bool RemoveGone_NeedsLock(Utf8JsonWriter json)
    {
        json.WriteStartArray("gone"u8);
        foreach (var (key, entry) in _rows)
        {
            if (entry.Look == _look) continue;
            json.WriteStringValue(key);
            _rows.Remove(key);
            Forgotten?.Invoke(key);
        }
        json.WriteEndArray();
        return true;
    }

    private struct Entry
    {
        public TRow Row;
        public long Look;
    }
}
