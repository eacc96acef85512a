using Mooring.Edge.Hub.Store;
using Mooring.Kernel.Clocks;
using Mooring.SocketIO;

namespace Mooring.Edge.Hub.Agents;

/// <summary>An agent as it is now.</summary>
internal sealed class AgentEntry(AgentRecord record)
{
    private volatile AgentRecord _record = record;
    private volatile Beat? _lastBeat;
    private SocketIOServerSocket? _socket;
    private TimeSpan _connectedSince;
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

    /// <summary>How it is.</summary>
    /// <param name="now">The present in steady time: a hub whose clock is set must not take its agents for silent.</param>
    public Presence PresenceAt(TimeSpan now)
    {
        if (Socket is null) return Presence.Offline;
        return now - (LastBeat?.Since ?? _connectedSince) <= PresenceLimits.OnlineFor ? Presence.Online : Presence.Stale;
    }

    /// <summary>Makes a connection the agent's only one.</summary>
    /// <returns>The one that it replaces.</returns>
    public SocketIOServerSocket? Attach(SocketIOServerSocket socket, TimeProvider time)
    {
        (ConnectedAt, _connectedSince) = (time.GetUtcNow(), time.Steady());
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
    /// <param name="At">When it came.</param>
    /// <param name="Since">The same moment in steady time.</param>
    /// <param name="Json">What it says.</param>
    internal sealed record Beat(DateTimeOffset At, TimeSpan Since, byte[] Json)
    {
        private AgentLoad? _load;

        /// <summary>What it says; read when somebody wants to know, and once.</summary>
        public AgentLoad Load => _load ??= HubGlances.LoadOf(Json);
    }
}
