using System.Collections.Concurrent;

namespace Mooring.Tunnel.Server.Sessions;

/// <summary>Connected clients.</summary>
internal sealed class SessionRegistry(TunnelServerLimits limits, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, ServerSession> _byId = new(StringComparer.Ordinal);

    public int Count => _byId.Count;

    public IReadOnlyCollection<ServerSession> All => [.. _byId.Values];

    /// <summary>Attempts to connect, by address.</summary>
    public AddressRate Handshakes { get; } = new(limits.HandshakesPerMinute, TimeSpan.FromMinutes(1), time);

    /// <summary>Wrong tokens, by address.</summary>
    public AddressRate Failures { get; } = new(limits.FailuresPerMinute, TimeSpan.FromMinutes(1), time);

    /// <summary>Registrations, by address.</summary>
    public AddressRate Registrations { get; } = new(limits.RegistrationsPerHour, TimeSpan.FromHours(1), time);

    public void Add(ServerSession session)
    {
        if (_byId.TryAdd(session.Id, session)) session.Usage.CountSessions(+1);
    }

    public void Remove(ServerSession session)
    {
        if (_byId.TryRemove(new KeyValuePair<string, ServerSession>(session.Id, session))) session.Usage.CountSessions(-1);
    }

    public ServerSession? Find(string id) => _byId.GetValueOrDefault(id);
}
