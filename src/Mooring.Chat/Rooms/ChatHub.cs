using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Mooring.Chat.Access;
using Mooring.Chat.Configuration;
using Mooring.Chat.History;
using Mooring.Chat.Protocol;
using Mooring.Kernel.Clocks;

namespace Mooring.Chat.Rooms;

/// <summary>
/// The one state behind all transports: rooms, and the sessions that own a client id. Whoever comes and goes does so under the hub's
/// lock; messages take only their room's. Locks are taken in this order: hub, room, session.
/// </summary>
internal sealed partial class ChatHub
{
    /// <summary>The first id that is given to a client without one, as in the classic server.</summary>
    private const int FirstAutomaticId = 2;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Room> _rooms = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Session> _clients = new(StringComparer.Ordinal);
    private readonly HashSet<Session> _sessions = [];
    private readonly ConnectionRates _connectionRates = new();
    private readonly ILogger _logger;
    private readonly IHistoryStore _history;
    private ChatOptions _options;
    private long _lastMessageId;
    private long _lastRoomNumber;
    private bool _isDraining;
    private TaskCompletionSource? _empty;

    internal ChatHub(ChatOptions options, TimeProvider time, ILogger logger, ChatAccess? access = null, IHistoryStore? history = null)
    {
        _options = options;
        _logger = logger;
        _history = history ?? NoHistoryStore.Instance;
        Time = time;
        Access = access ?? ChatAccess.Open;
        StartedAt = Now;
        Epoch = _history.Epoch ?? (ulong)BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));
        foreach (var kept in _history.Rooms) Restore(kept);
        if (!_rooms.ContainsKey(ChatNames.Main)) AddRoom_NeedsLock(ChatNames.Main, ChatNames.Server);
    }

    internal ChatOptions Options => Volatile.Read(ref _options);

    internal TimeProvider Time { get; }

    internal ChatAccess Access { get; }

    internal ChatCounters Counters { get; } = new();

    internal Outbox Outbox { get; } = new();

    /// <summary>Direct messages whose targets cannot take them now.</summary>
    internal DirectQueues Waiting { get; } = new();

    internal DepartedClients Departed { get; } = new();

    /// <summary>Tells sequence numbers of this run from those of another whose history is lost.</summary>
    internal ulong Epoch { get; }

    /// <summary>Unix milliseconds.</summary>
    internal long StartedAt { get; }

    /// <summary>Unix milliseconds.</summary>
    internal long Now => Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Milliseconds for rates, limits and waits, which a clock that is set must neither lift nor prolong.</summary>
    internal long SteadyNow => (long)Time.Steady().TotalMilliseconds;

    /// <summary>What the clock of today says of a moment in steady time, in Unix milliseconds.</summary>
    internal long UnixOf(long steady) => Now - (SteadyNow - steady);

    /// <summary>Whether nobody may enter or send any more.</summary>
    internal bool IsDraining => Volatile.Read(ref _isDraining);

    internal long NextMessageId() => Interlocked.Increment(ref _lastMessageId);

    /// <summary>Takes new limits; listeners stay as they are.</summary>
    internal void Reload(ChatOptions options) => Volatile.Write(ref _options, options);

    internal bool TryFindRoom(string name, [NotNullWhen(true)] out Room? room)
    {
        lock (_gate) return _rooms.TryGetValue(name, out room);
    }

    internal bool TryFindClient(string id, [NotNullWhen(true)] out Session? session)
    {
        lock (_gate) return _clients.TryGetValue(id, out session);
    }

    /// <summary>All rooms in order of creation.</summary>
    internal Room[] Rooms()
    {
        lock (_gate) return [.. _rooms.Values.OrderBy(room => room.Number)];
    }

    internal Session[] Sessions()
    {
        lock (_gate) return [.. _sessions];
    }

    /// <summary>Lets a connection in, or says why not.</summary>
    /// <param name="session">The connection.</param>
    /// <param name="isAddressToCome">Whether <see cref="TrySetRemote"/> will tell where it comes from.</param>
    internal Outcome TryOpen(Session session, bool isAddressToCome = false)
    {
        lock (_gate)
        {
            if (_isDraining) return new Outcome(ChatError.ShuttingDown, "the server is going down");
            var outcome = _sessions.Count >= Options.Limits.ClientsMax
                ? new Outcome(ChatError.ServerFull, $"the server serves {Options.Limits.ClientsMax} clients at most")
                : isAddressToCome ? Outcome.Done : CheckAddress_NeedsLock(session.Remote);
            if (!outcome.IsDone)
            {
                Counters.Refused();
                return outcome;
            }
            _sessions.Add(session);
        }
        Counters.Opened(session.Transport);
        return Outcome.Done;
    }

    /// <summary>Tells where an open session really comes from, or says why nobody may come from there.</summary>
    internal Outcome TrySetRemote(Session session, string remote)
    {
        lock (_gate)
        {
            // Until now it was counted for the balancer, whose connections are not limited.
            session.Remote = "";
            var outcome = CheckAddress_NeedsLock(remote);
            session.Remote = remote;
            if (!outcome.IsDone) Counters.Refused();
            return outcome;
        }
    }

    /// <summary>The transport is gone. Members are told if they were not yet.</summary>
    internal void Gone(Session session)
    {
        session.Break();
        Close(session, CloseReason.Gone, "");
        bool isFirst;
        lock (_gate) isFirst = Forget_NeedsLock(session);
        session.IsGone = true;
        if (isFirst) Counters.Closed(session.Transport, session.Reason ?? CloseReason.Gone);
    }

    /// <summary>Ends a session: it leaves its rooms, its id is free again, and it is told why as its last words.</summary>
    internal void Close(Session session, CloseReason reason, string text, bool isSilent = false)
    {
        if (!session.TryBeginClose(reason)) return;
        session.ClosingSince = SteadyNow;
        lock (_gate)
        {
            var keepUnread = reason is not (CloseReason.SlowConsumer or CloseReason.Gone);
            var members = session.Memberships;
            var happened = reason == CloseReason.Protocol ? MemberEvent.Failed : MemberEvent.CloseRequested;
            foreach (var member in members) Leave_NeedsLock(member, happened, keepUnread);
            if (session.IsRegistered && _clients.TryGetValue(session.Id, out var owner) && owner == session) Unregister_NeedsLock(session, members);
        }
        if (session.IsRegistered || reason is not (CloseReason.Gone or CloseReason.Quit)) LogClosed(session.Id, session.Remote, reason);
        session.SayFarewell(reason, text, isSilent);
        if (session.Mailbox is null) return;
        lock (_gate) Forget_NeedsLock(session);
        session.IsGone = true;
        Counters.Closed(session.Transport, reason);
    }

    /// <summary>Ends a session whose last words have been queued already.</summary>
    internal void CloseSilently(Session session) => Close(session, CloseReason.Quit, "", isSilent: true);

    /// <summary>A member whose queue is over its limit.</summary>
    internal void TooSlow(Session session, Membership? member)
    {
        if (session.IsClosing) return;
        switch (Options.SlowConsumer)
        {
            case SlowConsumerPolicy.DropOldest when member is not null:
                session.SkipOldest(member);
                return;
            case SlowConsumerPolicy.DropNewest when member is not null:
                session.LeaveOutNewest(member);
                return;
            default:
                Counters.SlowConsumer();
                Close(session, CloseReason.SlowConsumer, $"more than {Options.Limits.DescribeQueue()} were waiting");
                return;
        }
    }

    /// <summary>Keeps a message where history is durable.</summary>
    internal void Keep(Room room, KeptMessage message) => _history.Keep(room.Name, message);

    /// <summary>Whether messages outlive the process.</summary>
    internal bool IsHistoryDurable => _history.Epoch is not null;

    /// <summary>Takes a message out of what is kept.</summary>
    internal void Forget(Room room, long sequence) => _history.Delete(room.Name, sequence);

    /// <summary>Gives a room a topic, and tells who asked for events.</summary>
    internal void SetTopic(Room room, string topic, string client)
    {
        room.Topic = topic;
        _history.KeepRoom(room);
        TellTopic(room, client);
    }

    /// <summary>Sets the word that opens a room, or takes it away. Who is in stays in.</summary>
    internal void SetPassword(Room room, string? word)
    {
        room.Password = word is null ? null : RoomPassword.Create(word);
        _history.KeepRoom(room);
    }

    /// <summary>Completes when no session is left, at the latest after a time.</summary>
    internal async Task WhenEmptyAsync(TimeSpan atMost)
    {
        Task empty;
        lock (_gate)
        {
            if (_sessions.Count == 0) return;
            _empty ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            empty = _empty.Task;
        }
        await Task.WhenAny(empty, Task.Delay(atMost, Time)).ConfigureAwait(false);
    }

    /// <summary>The id is free again. Who owns it by an account will be back, so direct messages may wait for it.</summary>
    private void Unregister_NeedsLock(Session session, IReadOnlyList<Membership> rooms)
    {
        _clients.Remove(session.Id);
        Departed.Add(new DepartedClient(session, rooms, SteadyNow));
        if (Options.Limits.DirectQueue > 0 && Access.IsRequired && session.Reason != CloseReason.Replaced) Waiting.Expect(session.Id, Now);
        else if (session.Reason != CloseReason.Replaced) Waiting.Forget(session.Id);
    }

    private Outcome CheckAddress_NeedsLock(string remote)
    {
        var limits = Options.Limits;
        if (limits.ConnectionsPerAddress > 0 && _sessions.Count(other => other.Remote == remote) >= limits.ConnectionsPerAddress)
            return new Outcome(ChatError.ServerFull, $"{limits.ConnectionsPerAddress} connections may come from one address");
        return _connectionRates.TryTake(remote, limits.ConnectionRatePerAddress, SteadyNow, out var wait)
            ? Outcome.Done
            : Outcome.TooFast(wait, $"{limits.ConnectionRatePerAddress} connections a second may come from one address");
    }

    private bool Forget_NeedsLock(Session session)
    {
        var wasThere = _sessions.Remove(session);
        if (_sessions.Count == 0) _empty?.TrySetResult();
        return wasThere;
    }

    private Room AddRoom_NeedsLock(string name, string createdBy, string? password = null)
    {
        var room = new Room(this, name, createdBy, Now, ++_lastRoomNumber) { Password = password is null ? null : RoomPassword.Create(password) };
        _rooms.Add(name, room);
        _history.KeepRoom(room);
        return room;
    }

    private void Restore(KeptRoom kept)
    {
        var room = new Room(this, kept.Name, kept.CreatedBy, Now, ++_lastRoomNumber);
        _rooms.Add(kept.Name, room);
        room.Restore(kept.LastSequence, kept.Topic, kept.Messages);
        room.Password = kept.Password;
        foreach (var message in kept.Messages) _lastMessageId = Math.Max(_lastMessageId, message.Id);
    }

    [LoggerMessage(5000, LogLevel.Debug, "{Client} at {Remote} is closed: {Reason}")]
    private partial void LogClosed(string client, string remote, CloseReason reason);
}
