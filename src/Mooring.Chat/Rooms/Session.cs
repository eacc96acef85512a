using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Mooring.Chat.Access;
using Mooring.Chat.Configuration;
using Mooring.Chat.Protocol;

namespace Mooring.Chat.Rooms;

/// <summary>What carries a session.</summary>
internal enum SessionTransport
{
    Tcp,
    WebSocket,
    Rest,
}

/// <summary>What a client asked for with CAPS.</summary>
[Flags]
internal enum Capabilities
{
    None = 0,
    Tags = 1,
    Events = 2,
    Ping = 4,
    Acks = 8,
    Resume = 16,
}

/// <summary>
/// One client: a TCP connection, a WebSocket or a mailbox that owns one client id. Who it is changes under the hub's lock; what it
/// still has to send is in the other part of this class.
/// </summary>
internal sealed partial class Session
{
    private const int ResumeTokenBytes = 16;

    private readonly ChatHub _hub;
    private readonly ISessionOutput? _output;
    private readonly Voice _voice;
    private Membership[] _memberships = [];
    private HashSet<string>? _blocked;
    private TokenBucket _bucket;
    private int _refusals;
    private long _silencedUntil;
    private int _closeReason = -1;
    private bool _isGone;

    internal Session(ChatHub hub, SessionTransport transport, MessageFormat format, Voice voice, ISessionOutput? output, string remote)
    {
        _hub = hub;
        _voice = voice;
        _output = output;
        Transport = transport;
        Format = format;
        Remote = remote;
        (ConnectedAt, ConnectedSince) = (hub.Now, hub.SteadyNow);
        LastActivity = ConnectedSince;
    }

    internal SessionTransport Transport { get; }

    /// <summary>The form of its messages; CAPS changes it.</summary>
    internal MessageFormat Format { get; set; }

    /// <summary>The address that it comes from, without the port.</summary>
    internal string Remote { get; set; }

    internal bool IsEncrypted { get; init; }

    /// <summary>Unix milliseconds.</summary>
    internal long ConnectedAt { get; }

    /// <summary>The same moment in milliseconds of steady time.</summary>
    internal long ConnectedSince { get; }

    /// <summary>When its last command came, in milliseconds of steady time.</summary>
    internal long LastActivity { get; set; }

    /// <summary>When it began to close, in milliseconds of steady time.</summary>
    internal long ClosingSince { get; set; }

    /// <summary>Empty until it is registered; then it stays.</summary>
    internal string Id { get; private set; } = "";

    internal byte[] IdUtf8 { get; private set; } = [];

    internal bool IsRegistered => Id.Length > 0;

    internal bool IsOperator => Account is { IsOperator: true };

    /// <summary>The account that its token named; null without one.</summary>
    internal ChatAccount? Account { get; set; }

    internal Capabilities Capabilities { get; set; }

    /// <summary>What a REST client polls.</summary>
    internal Mailbox? Mailbox { get; init; }

    /// <summary>Secret with which a client takes its id over again; null until it was asked for.</summary>
    internal string? ResumeToken { get; private set; }

    /// <summary>In milliseconds of steady time.</summary>
    internal long LastPing { get; set; }

    internal int UnansweredPings { get; set; }

    internal Membership[] Memberships
    {
        get => Volatile.Read(ref _memberships);
        set => Volatile.Write(ref _memberships, value);
    }

    /// <summary>Whether its transport is closed too.</summary>
    internal bool IsGone
    {
        get => Volatile.Read(ref _isGone);
        set => Volatile.Write(ref _isGone, value);
    }

    internal bool IsClosing => Volatile.Read(ref _closeReason) >= 0;

    internal CloseReason? Reason => Volatile.Read(ref _closeReason) is >= 0 and var reason ? (CloseReason)reason : null;

    internal Voice Voice => _voice;

    /// <summary>The client has shown that it is there.</summary>
    internal void Touch() => LastActivity = _hub.SteadyNow;

    internal void SetId(string id)
    {
        Id = id;
        IdUtf8 = Encoding.UTF8.GetBytes(id);
    }

    /// <summary>The first reason wins.</summary>
    internal bool TryBeginClose(CloseReason reason) => Interlocked.CompareExchange(ref _closeReason, (int)reason, -1) < 0;

    internal Membership? In(string room)
    {
        foreach (var membership in Memberships)
            if (membership.Room.Name == room) return membership;
        return null;
    }

    /// <summary>The membership that an address names; no text is made of it.</summary>
    internal Membership? At(ReadOnlySpan<byte> address)
    {
        foreach (var membership in Memberships)
            if (address.SequenceEqual(membership.Address)) return membership;
        return null;
    }

    /// <summary>
    /// One session's commands are handled one after the other, so its bucket needs no lock. Who goes on as before after so many refusals as a
    /// burst has messages is a flood, and is heard again after a while only.
    /// </summary>
    internal bool TryTakeToken(double rate, int burst, long now, out long wait)
    {
        wait = _silencedUntil - now;
        if (wait > 0) return false;
        if (_bucket.TryTake(rate, burst, now, out wait))
        {
            _refusals = 0;
            return true;
        }
        var seconds = _hub.Options.Limits.FloodMuteSeconds;
        if (seconds == 0 || ++_refusals < burst) return false;
        _refusals = 0;
        wait = seconds * 1000L;
        _silencedUntil = now + wait;
        _hub.TellFlood(this, seconds);
        return false;
    }

    internal string NewResumeToken() => ResumeToken ??= Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(ResumeTokenBytes));

    internal bool IsResumedBy(string? token) => token is not null && ResumeToken is { } own
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(token), Encoding.UTF8.GetBytes(own));

    internal bool HasBlocked(string client)
    {
        if (Volatile.Read(ref _blocked) is not { } blocked) return false;
        lock (blocked) return blocked.Contains(client);
    }

    /// <summary>False when the list is full.</summary>
    internal bool TryBlock(string client)
    {
        var blocked = _blocked ??= new HashSet<string>(StringComparer.Ordinal);
        lock (blocked)
        {
            if (blocked.Count >= ChatLimits.BlockedMax && !blocked.Contains(client)) return false;
            blocked.Add(client);
            return true;
        }
    }

    internal bool Unblock(string client)
    {
        if (_blocked is not { } blocked) return false;
        lock (blocked) return blocked.Remove(client);
    }

    internal bool Wants(ChatEvent happened) => Capabilities.HasFlag(Capabilities.Events) && !IsClosing && (IsRegistered || happened == ChatEvent.Created);

    internal void SayEvent(ChatEvent happened, string room, string client, string text, long now)
    {
        // Events go first when a client is slow.
        if (PendingBytes > _hub.Options.Limits.SendQueueBytes / 2) return;
        if (_voice.Event(happened, room, client, text, now) is { } bytes) Enqueue(bytes);
    }

    internal void SayPing(string token)
    {
        if (_voice.Ping(token) is { } bytes) Enqueue(bytes);
    }

    /// <summary>A message for this client alone.</summary>
    internal void Say(in ChatMessage message)
    {
        if (Mailbox is { } mailbox) mailbox.Add(new Mailbox.Entry(Encoding.UTF8.GetString(message.Room), message.Sequence, Room.EncodeJson(message)));
        else Enqueue(Room.Encode(Format, message));
    }

    /// <summary>Kept messages of a room, again for this client alone.</summary>
    internal void SayAgain(Room room, IReadOnlyList<KeptMessage> messages)
    {
        if (Mailbox is not null)
        {
            foreach (var kept in messages) Say(room.ToMessage(kept));
            return;
        }
        var all = new ArrayBufferWriter<byte>();
        foreach (var kept in messages) all.Write(Room.Encode(Format, room.ToMessage(kept)));
        if (all.WrittenCount > 0) EnqueueReply(all.WrittenMemory);
    }

    /// <summary>The last words; the transport closes behind them.</summary>
    internal void SayFarewell(CloseReason reason, string text, bool isSilent)
    {
        if (reason != CloseReason.Gone && !isSilent && _voice.Farewell(reason.Word(), reason.WebSocketCode(), text) is { } bytes) Enqueue(bytes);
        Volatile.Write(ref _isFarewellSaid, true);
        Mailbox?.Wake();
        Mark();
    }
}
