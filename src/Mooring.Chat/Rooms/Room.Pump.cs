namespace Mooring.Chat.Rooms;

/// <summary>
/// Fan-out: hands every member what the log has for it, in one write each, however many messages that are. Whoever published does it
/// as its last act of a batch; when others publish meanwhile it goes round once more. Nothing in it waits.
/// </summary>
internal sealed partial class Room : IThreadPoolWorkItem
{
    private const int Idle = 0;
    private const int Running = 1;
    private const int RunningAndAskedAgain = 2;

    // A publisher that goes round for others gives its own client's next commands a turn after so many.
    private const int RoundsInline = 4;

    private int _pump;
    private int _turn;

    internal void Pump()
    {
        Interlocked.Exchange(ref _isMarked, 0);
        while (Interlocked.CompareExchange(ref _pump, Running, Idle) != Idle)
        {
            if (Interlocked.CompareExchange(ref _pump, RunningAndAskedAgain, Running) != Idle) return;
        }
        RunRounds(RoundsInline);
    }

    void IThreadPoolWorkItem.Execute()
    {
        RunRounds(RoundsInline);
        _hub.Outbox.Flush();
    }

    private void RunRounds(int rounds)
    {
        while (true)
        {
            FlushMembers();
            if (Interlocked.CompareExchange(ref _pump, Idle, Running) == Running) return;
            Volatile.Write(ref _pump, Running);
            if (--rounds > 0) continue;
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            return;
        }
    }

    private void FlushMembers()
    {
        var members = Members.Span;
        if (members.Length == 0) return;
        // Another member is first each time, so that nobody is always last.
        var first = (_turn++ & int.MaxValue) % members.Length;
        var limits = _hub.Options.Limits;
        for (var i = 0; i < members.Length; i++)
        {
            var member = members[first + i < members.Length ? first + i : first + i - members.Length];
            if (member.Lag <= 0) continue;
            member.Session.Flush(member);
            if (member.Lag > limits.SendQueueBytes || member.Session.HasMoreThan(limits.SendQueueMessages, member)) _hub.TooSlow(member.Session, member);
        }
    }
}
