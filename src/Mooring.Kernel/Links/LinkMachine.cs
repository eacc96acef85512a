using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace Mooring.Kernel.Links;

/// <summary>
/// The published state of one link. It records where a link is and refuses illegal moves; it never decides what to
/// do next: the position in the code that drives the link (see <see cref="Reconnector"/>) does that.
/// </summary>
/// <remarks>
/// Moves are serialised by a lock. Observers run outside it, one at a time and in the order of the moves, on the
/// thread of whoever moved first; an observer may itself move the link, its move is then published after the present one.
/// </remarks>
public sealed partial class LinkMachine
{
    /// <summary>
    /// Moves kept for a slow observer. A link moves a few times a second at most, so a full queue means that an
    /// observer hangs; the oldest moves are then dropped and counted in <see cref="MovesNotPublished"/>.
    /// </summary>
    public const int UnpublishedMovesMax = 1024;

    /// <summary>The table of legal moves. <see cref="LinkState.Stopped"/> is final.</summary>
    public static readonly ImmutableArray<(LinkState From, LinkState To)> LegalMoves =
    [
        (LinkState.Idle, LinkState.Connecting),
        (LinkState.Idle, LinkState.Stopped),
        (LinkState.Connecting, LinkState.Up),
        (LinkState.Connecting, LinkState.Waiting),
        (LinkState.Connecting, LinkState.Stopped),
        (LinkState.Up, LinkState.Waiting),
        (LinkState.Up, LinkState.Stopped),
        (LinkState.Waiting, LinkState.Connecting),
        (LinkState.Waiting, LinkState.Stopped),
    ];

    private const int StateCount = (int)LinkState.Stopped + 1;

    private readonly Lock _lock = new();
    private readonly Queue<LinkTransition> _unpublished = new();
    private readonly long[] _moves = new long[StateCount * StateCount];
    private readonly TimeProvider _time;
    private readonly ILogger? _logger;
    private bool _publishing;
    private long _movesNotPublished;
    private volatile LinkState _state;
    private DateTimeOffset _since;
    private string? _stopReason;

    /// <summary>Creates a link in state <see cref="LinkState.Idle"/>.</summary>
    /// <param name="time">Clock that stamps the moves.</param>
    /// <param name="logger">Told when an observer throws; may be null.</param>
    public LinkMachine(TimeProvider time, ILogger? logger = null)
    {
        _time = time;
        _logger = logger;
        _since = time.GetUtcNow();
    }

    /// <summary>Raised for every move, in order, never under the lock. A throwing observer does not harm the others.</summary>
    public event Action<LinkTransition>? Moved;

    /// <summary>Where the link is.</summary>
    public LinkState State => _state;

    /// <summary>Since when the link has been in its state.</summary>
    public DateTimeOffset Since
    {
        get { lock (_lock) return _since; }
    }

    /// <summary>The first reason to stop that anyone gave; null while nobody did.</summary>
    public string? StopReason => Volatile.Read(ref _stopReason);

    /// <summary>Moves that no observer saw because one of them hung.</summary>
    public long MovesNotPublished => Interlocked.Read(ref _movesNotPublished);

    /// <summary>Whether the table allows the move.</summary>
    /// <param name="from">The state before.</param>
    /// <param name="to">The state after.</param>
    /// <returns>True when the move is in <see cref="LegalMoves"/>.</returns>
    public static bool IsLegal(LinkState from, LinkState to) => LegalMoves.Contains((from, to));

    /// <summary>
    /// Notes why the link is to stop, without moving it. The first reason wins and is what everyone is told;
    /// whoever drives the link moves it to <see cref="LinkState.Stopped"/> when its connection has ended.
    /// </summary>
    /// <param name="reason">Why, in words for an operator.</param>
    /// <returns>True when this was the first reason.</returns>
    public bool RequestStop(string reason) => Interlocked.CompareExchange(ref _stopReason, reason, null) is null;

    /// <summary>How often the link made a move.</summary>
    /// <param name="from">The state before.</param>
    /// <param name="to">The state after.</param>
    /// <returns>The count since the link was created.</returns>
    public long CountOf(LinkState from, LinkState to) => Interlocked.Read(ref _moves[Index(from, to)]);

    /// <summary>Makes a move when the table allows it.</summary>
    /// <param name="to">The state to move to.</param>
    /// <param name="reason">Why. For <see cref="LinkState.Stopped"/> an earlier reason to stop takes its place.</param>
    /// <returns>False when the move is not legal; nothing has changed then.</returns>
    public bool TryMove(LinkState to, string reason = "")
    {
        lock (_lock)
        {
            var from = _state;
            if (!IsLegal(from, to)) return false;
            if (to == LinkState.Stopped)
            {
                RequestStop(reason);
                reason = StopReason!;
            }
            _since = _time.GetUtcNow();
            _state = to;
            Interlocked.Increment(ref _moves[Index(from, to)]);
            Enqueue_NeedsLock(new LinkTransition(from, to, reason, _since));
            // Whoever publishes now will find this move in the queue.
            if (_publishing) return true;
            _publishing = true;
        }
        Publish();
        return true;
    }

    private static int Index(LinkState from, LinkState to) => ((int)from * StateCount) + (int)to;

    private void Enqueue_NeedsLock(LinkTransition transition)
    {
        if (_unpublished.Count == UnpublishedMovesMax)
        {
            _unpublished.Dequeue();
            Interlocked.Increment(ref _movesNotPublished);
        }
        _unpublished.Enqueue(transition);
    }

    private void Publish()
    {
        while (true)
        {
            LinkTransition transition;
            lock (_lock)
            {
                if (!_unpublished.TryDequeue(out transition))
                {
                    _publishing = false;
                    return;
                }
            }
            if (Moved is not { } moved) continue;
            foreach (var observer in Delegate.EnumerateInvocationList(moved)) Tell(observer, transition);
        }
    }

    private void Tell(Action<LinkTransition> observer, LinkTransition transition)
    {
        try
        {
            observer(transition);
        }
        catch (Exception e)
        {
            if (_logger is not null) LogObserverFailed(_logger, transition.From, transition.To, e);
        }
    }

    [LoggerMessage(1000, LogLevel.Error, "An observer of a link failed at the move {From} -> {To}")]
    private static partial void LogObserverFailed(ILogger logger, LinkState from, LinkState to, Exception exception);
}
