using System.Collections.Concurrent;

namespace Mooring.Tunnel.Server.Sessions;

/// <summary>Connected clients.</summary>
internal sealed class SessionRegistry(TunnelServerLimits limits, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, ServerSession> _byId = new(StringComparer.Ordinal);

    private readonly ConcurrentDictionary<string, int> _byAddress = new(StringComparer.Ordinal);

    public int Count => _byId.Count;

    public IReadOnlyCollection<ServerSession> All => [.. _byId.Values];

    /// <summary>Attempts to connect, by address.</summary>
    public AddressRate Handshakes { get; } = new(limits.HandshakesPerMinute, TimeSpan.FromMinutes(1), time);

    /// <summary>Wrong tokens, by address.</summary>
    public AddressRate Failures { get; } = new(limits.FailuresPerMinute, TimeSpan.FromMinutes(1), time);

    /// <summary>Registrations, by address.</summary>
    public AddressRate Registrations { get; } = new(limits.RegistrationsPerHour, TimeSpan.FromHours(1), time);

    /// <summary>Whether one more client may come from an address. This machine's own addresses are not counted.</summary>
    public bool HasRoomFor(string address) => AddressRate.IsOwn(address) || _byAddress.GetValueOrDefault(address) < limits.SessionsPerAddress;

    public void Add(ServerSession session)
    {
        if (!_byId.TryAdd(session.Id, session)) return;
        session.Usage.CountSessions(+1);
        _byAddress.AddOrUpdate(session.Remote, 1, static (_, count) => count + 1);
    }

    public void Remove(ServerSession session)
    {
        if (!_byId.TryRemove(new KeyValuePair<string, ServerSession>(session.Id, session))) return;
        session.Usage.CountSessions(-1);
        if (_byAddress.AddOrUpdate(session.Remote, 0, static (_, count) => count - 1) == 0) _byAddress.TryRemove(new KeyValuePair<string, int>(session.Remote, 0));
    }

    public ServerSession? Find(string id) => _byId.GetValueOrDefault(id);
}
