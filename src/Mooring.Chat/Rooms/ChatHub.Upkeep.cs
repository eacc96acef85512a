using System.Globalization;

namespace Mooring.Chat.Rooms;

/// <summary>What happens by itself as time goes: one step a second for all sessions, no timer for each.</summary>
internal sealed partial class ChatHub
{
    /// <summary>How often <see cref="Sweep"/> is called.</summary>
    internal static readonly TimeSpan SweepPeriod = TimeSpan.FromSeconds(1);

    /// <summary>Ends what is overdue.</summary>
    internal void Sweep()
    {
        var now = SteadyNow;
        var unix = Now;
        foreach (var session in Sessions())
        {
            if (session.IsClosing) CutWhenOverdue(session, now);
            else if (IsBlockedTooLong(session)) TooSlow(session, null);
            else if (session.Account is { } account && unix >= account.ExpiresAt) Close(session, CloseReason.Timeout, "the token has expired");
            else if (!session.IsRegistered) CloseWhen(session, now - session.ConnectedSince >= Milliseconds(Options.Limits.RegisterTimeout), "no HELLO, JOIN or NEW in time");
            else if (session.Mailbox is not null) CloseWhen(session, now - session.LastActivity >= Milliseconds(Options.Limits.MailboxTime), "the mailbox was not read");
            else if (Options.Limits.IdleTimeout > TimeSpan.Zero) CloseWhen(session, now - session.LastActivity >= Milliseconds(Options.Limits.IdleTimeout), "idle");
            if (!session.IsClosing && session.Capabilities.HasFlag(Capabilities.Ping)) PingWhenSilent(session, now);
        }
        RemoveIdleRooms(now);
        Waiting.Expire(unix - Options.Limits.DirectQueueSeconds * 1000L);
        Departed.Expire(now);
        Outbox.Flush();
    }

    /// <summary>Tells every client that the server stops, spread over a time, and lets nobody in any more.</summary>
    internal void BeginDrain() => Volatile.Write(ref _isDraining, true);

    private static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;

    private void CloseWhen(Session session, bool isDue, string why)
    {
        if (isDue) Close(session, CloseReason.Timeout, why);
    }

    private void CutWhenOverdue(Session session, long now)
    {
        if (now - session.ClosingSince >= Milliseconds(Options.Limits.CloseTimeout)) session.Abort();
    }

    private bool IsBlockedTooLong(Session session) =>
        session.BlockedSince is >= 0 and var since && Time.GetElapsedTime(since) >= Options.Limits.WriteDeadline;

    private void PingWhenSilent(Session session, long now)
    {
        var voice = session.Voice;
        if (session.LastActivity > session.LastPing) session.UnansweredPings = 0;
        var patience = session.UnansweredPings == 0 ? voice.PingAfterMilliseconds : voice.PongWithinMilliseconds;
        if (now - Math.Max(session.LastActivity, session.LastPing) < patience) return;
        if (session.UnansweredPings >= voice.UnansweredPingsMax)
        {
            Close(session, CloseReason.Timeout, "no answer to PING");
            return;
        }
        session.UnansweredPings++;
        session.LastPing = now;
        session.SayPing(Now.ToString(CultureInfo.InvariantCulture));
    }
}
