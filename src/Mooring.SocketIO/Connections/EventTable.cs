using System.Diagnostics.CodeAnalysis;
using Mooring.SocketIO.Codec;

namespace Mooring.SocketIO.Connections;

/// <summary>Handlers by the names of their events. Read by every connection at once, changed seldom: each change is a new table.</summary>
/// <typeparam name="TOwner">What a handler is told beside the event.</typeparam>
internal sealed class EventTable<TOwner>
{
    private readonly Lock _changing = new();
    private volatile Dictionary<string, Entry> _entries = new(Utf8NameComparer.Instance);
    private volatile Func<TOwner, SocketIOEvent, ValueTask>? _other;

    public sealed record Entry(string Name, Func<TOwner, SocketIOEvent, ValueTask> Handler);

    /// <summary>Called for events that have no handler of their own.</summary>
    public Func<TOwner, SocketIOEvent, ValueTask>? Other
    {
        get => _other;
        set => _other = value;
    }

    public void Add(string name, Func<TOwner, SocketIOEvent, ValueTask> handler)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (SocketIOPayload.IsReserved(name)) throw new ArgumentException($"'{name}' is kept for the connection itself", nameof(name));
        lock (_changing)
        {
            var changed = new Dictionary<string, Entry>(_entries, Utf8NameComparer.Instance);
            if (!changed.TryAdd(name, new Entry(name, handler))) throw new InvalidOperationException($"the event '{name}' has a handler already");
            _entries = changed;
        }
    }

    public bool Remove(string name)
    {
        lock (_changing)
        {
            var changed = new Dictionary<string, Entry>(_entries, Utf8NameComparer.Instance);
            if (!changed.Remove(name)) return false;
            _entries = changed;
            return true;
        }
    }

    public bool TryFind(ReadOnlySpan<byte> utf8Name, [NotNullWhen(true)] out Entry? entry) =>
        _entries.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(utf8Name, out entry);

    public bool TryFind(string name, [NotNullWhen(true)] out Entry? entry) => _entries.TryGetValue(name, out entry);
}
