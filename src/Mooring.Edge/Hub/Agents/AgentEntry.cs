using Mooring.Edge.Hub.Store;
using Mooring.SocketIO;

namespace Mooring.Edge.Hub.Agents;

/// <summary>An agent as it is now.</summary>
internal sealed class AgentEntry(AgentRecord record)
{
    private volatile AgentRecord _record = record;
    private volatile Beat? _lastBeat;
    private SocketIOServerSocket? _socket;
    private int _calls;

    /// <summary>What is remembered about it.</summary>
    public AgentRecord Record
    {
        get => _record;
        set => _record = value;
    }

    /// <summary>Its connection; null when there is none.</summary>
    public SocketIOServerSocket? Socket => Volatile.Read(ref _socket);

    public DateTimeOffset? ConnectedAt { get; private set; }

    /// <summary>The last heartbeat, over the hub's restarts not kept.</summary>
    public Beat? LastBeat
    {
        get => _lastBeat;
        set => _lastBeat = value;
    }

    public Presence PresenceAt(DateTimeOffset now)
    {
        if (Socket is null) return Presence.Offline;
        return now - (LastBeat?.At ?? ConnectedAt ?? now) <= PresenceLimits.OnlineFor ? Presence.Online : Presence.Stale;
    }

    /// <summary>Makes a connection the agent's only one.</summary>
    /// <returns>The one that it replaces.</returns>
    public SocketIOServerSocket? Attach(SocketIOServerSocket socket, DateTimeOffset now)
    {
        ConnectedAt = now;
        return Interlocked.Exchange(ref _socket, socket);
    }

    /// <summary>A connection has ended.</summary>
    /// <returns>Whether it was the current one: an old one that ends late changes nothing.</returns>
    public bool Detach(SocketIOServerSocket socket) => Interlocked.CompareExchange(ref _socket, null, socket) == socket;

    public bool TryBeginCall(int callsMax)
    {
        if (Interlocked.Increment(ref _calls) <= callsMax) return true;
        Interlocked.Decrement(ref _calls);
        return false;
    }

    public void EndCall() => Interlocked.Decrement(ref _calls);

    /// <summary>A heartbeat as it came: an object in UTF-8.</summary>
    internal sealed record Beat(DateTimeOffset At, byte[] Json)
    {
        private AgentLoad? _load;

        /// <summary>What it says; read when somebody wants to know, and once.</summary>
        public AgentLoad Load => _load ??= HubGlances.LoadOf(Json);
    }
}
