using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Hub.Enrolment;
using Mooring.Edge.Hub.Store;
using Mooring.Kernel.Clocks;
using Mooring.SocketIO;

namespace Mooring.Edge.Hub.Agents;

/// <summary>Who may connect, who is connected, and what was last heard of each.</summary>
internal sealed partial class AgentRegistry(HubStore store, AgentAuthority authority, HubHistory history, HubMetrics metrics, TimeProvider time, ILogger<AgentRegistry> logger)
{
    private const int BeatBytesMax = 16 * 1024;

    private readonly ConcurrentDictionary<string, AgentEntry> _agents = new(StringComparer.Ordinal);

    /// <summary>Raised with an agent that has connected.</summary>
    public event Action<string>? Joined;

    public ICollection<AgentEntry> All => _agents.Values;

    public AgentEntry? Find(string id) => _agents.GetValueOrDefault(id);

    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        foreach (var record in await store.AgentsAsync(cancellationToken)) Note(record);
    }

    /// <summary>Takes over what another program has written: who was enrolled, renewed or revoked by the command line.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        // One that is enrolled while the store is read is not in what was read, and must not be forgotten for that.
        var known = _agents.Keys;
        var records = await store.AgentsAsync(cancellationToken);
        foreach (var record in records) Note(record);
        foreach (var id in known.Except(records.Select(r => r.Id), StringComparer.Ordinal)) Forget(id);
    }

    /// <summary>Notes what is remembered about an agent. One that was shut out, or has got another certificate, loses its connection.</summary>
    public AgentEntry Note(AgentRecord record)
    {
        var entry = _agents.GetOrAdd(record.Id, static (_, r) => new AgentEntry(r), record);
        entry.Record = record;
        if (entry.Socket is { } socket
            && (record.RevokedAt is not null || AgentAuthority.FingerprintOf(socket.Handshake.ClientCertificate.Span) != record.Fingerprint))
        {
            LogShutOut(record.Id);
            socket.DisconnectConnection();
        }
        return entry;
    }

    public void Forget(string id)
    {
        if (_agents.TryRemove(id, out var entry)) entry.Socket?.DisconnectConnection();
    }

    /// <summary>Judges a connection by its certificate, before it exists.</summary>
    public async ValueTask<SocketIORefusal?> AdmitAsync(SocketIOHandshake handshake, CancellationToken cancellationToken)
    {
        var refusal = await JudgeAsync(handshake, cancellationToken);
        if (refusal is not null) metrics.Refused();
        return refusal;
    }

    private async ValueTask<SocketIORefusal?> JudgeAsync(SocketIOHandshake handshake, CancellationToken cancellationToken)
    {
        using var certificate = handshake.ReadClientCertificate();
        if (certificate is null) return new SocketIORefusal(401, "a client certificate is needed");
        if (AgentAuthority.CommonNameOf(certificate.SubjectName) is not { } id) return new SocketIORefusal(403, "the certificate has no common name");
        // From the store, not from memory: the command line may have enrolled or revoked it a moment ago.
        if (await store.AgentAsync(id, cancellationToken) is not { } record) return new SocketIORefusal(403, $"agent '{id}' is not enrolled");
        if (record.RevokedAt is not null) return new SocketIORefusal(403, $"agent '{id}' was revoked");
        if (AgentAuthority.FingerprintOf(handshake.ClientCertificate.Span) != record.Fingerprint)
            return new SocketIORefusal(403, $"agent '{id}' has another certificate now: this one was replaced");
        if (record.IsPinned ? certificate.NotAfter.ToUniversalTime() < time.GetUtcNow().UtcDateTime : !authority.Verify(certificate, out _))
            return new SocketIORefusal(403, $"the certificate of agent '{id}' is not in date, or not from this hub");
        Note(record);
        return null;
    }

    public void Connected(SocketIOServerSocket socket)
    {
        if (EntryOf(socket) is not { } entry)
        {
            socket.DisconnectConnection();
            return;
        }
        var id = entry.Record.Id;
        if (entry.Attach(socket, time) is { } older)
        {
            LogReplaced(id);
            older.DisconnectConnection();
        }
        LogConnected(id, socket.Handshake.RemoteEndPoint);
        history.Publish("agent_online", id, w => w.WriteString("address"u8, socket.Handshake.RemoteEndPoint?.ToString()));
        if (entry.Record.NotAfter - time.GetUtcNow() < PresenceLimits.ExpiryWarning)
            history.Publish("certificate_expiring", id, w => w.WriteString("not_after"u8, entry.Record.NotAfter));
        Joined?.Invoke(id);
    }

    public void Disconnected(SocketIOServerSocket socket, SocketIODisconnectReason reason)
    {
        if (EntryOf(socket) is not { } entry || !entry.Detach(socket)) return;
        LogDisconnected(entry.Record.Id, reason);
        history.Seen(entry.Record.Id, time.GetUtcNow());
        history.Publish("agent_offline", entry.Record.Id, w => w.WriteString("reason"u8, reason.ToString()));
    }

    /// <summary>A heartbeat: noted, and answered as earlier hubs did.</summary>
    public ValueTask BeatAsync(SocketIOServerSocket socket, SocketIOEvent beat)
    {
        var json = beat.GetJson(0);
        if (EntryOf(socket) is not { } entry || json.Length is 0 or > BeatBytesMax || json[0] != '{') return ValueTask.CompletedTask;
        metrics.Beat();
        var now = time.GetUtcNow();
        var copy = json.ToArray();
        var isFirstOfItsMinute = entry.LastBeat is not { } last || last.At.Ticks / PresenceLimits.HistoryStep.Ticks != now.Ticks / PresenceLimits.HistoryStep.Ticks;
        entry.LastBeat = new AgentEntry.Beat(now, time.Steady(), copy);
        if (isFirstOfItsMinute)
        {
            history.Beat(entry.Record.Id, now, Encoding.UTF8.GetString(copy));
            using var document = JsonDocument.Parse(copy);
            history.Publish("heartbeat", entry.Record.Id, document.RootElement.Clone(), isKept: false);
        }
        var answer = string.Create(CultureInfo.InvariantCulture, $"{{\"timestamp\":\"{now.UtcDateTime:yyyy-MM-ddTHH:mm:ss.ffffffZ}\"}}");
        return socket.EmitAsync("heartbeat_ack", new SocketIOArguments().AddJson(Encoding.UTF8.GetBytes(answer)));
    }

    /// <summary>Something an agent tells of its own accord.</summary>
    public void Told(SocketIOServerSocket socket, string kind, SocketIOEvent told)
    {
        if (EntryOf(socket) is not { } entry || told.GetElement(0) is not { ValueKind: JsonValueKind.Object } details) return;
        metrics.Told(kind);
        history.Publish(kind, entry.Record.Id, details);
    }

    private AgentEntry? EntryOf(SocketIOServerSocket socket)
    {
        if (socket.State is AgentEntry known) return known;
        using var certificate = socket.Handshake.ReadClientCertificate();
        if (certificate is null || AgentAuthority.CommonNameOf(certificate.SubjectName) is not { } id) return null;
        var entry = Find(id);
        socket.State = entry;
        return entry;
    }

    [LoggerMessage(7500, LogLevel.Information, "Agent {Agent} is connected from {Remote}")]
    private partial void LogConnected(string agent, System.Net.IPEndPoint? remote);

    [LoggerMessage(7501, LogLevel.Information, "Agent {Agent} is gone: {Reason}")]
    private partial void LogDisconnected(string agent, SocketIODisconnectReason reason);

    [LoggerMessage(7502, LogLevel.Information, "Agent {Agent} has connected anew; its older connection is closed")]
    private partial void LogReplaced(string agent);

    [LoggerMessage(7503, LogLevel.Warning, "Agent {Agent} was revoked or has another certificate; its connection is closed")]
    private partial void LogShutOut(string agent);
}
