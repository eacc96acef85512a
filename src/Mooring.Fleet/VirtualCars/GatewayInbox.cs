using System.Threading.Channels;

namespace Mooring.Fleet.VirtualCars;

/// <summary>What waits for one gateway, and its one timer. Many post, the gateway alone reads.</summary>
internal sealed class GatewayInbox : IDisposable
{
    /// <summary>Messages that may wait. A server that sends more than a car reads loses some, and the car's strict counting tells.</summary>
    private const int EventsMax = 4096;

    private static readonly GatewayEvent Elapsed = new(GatewayEventKind.Elapsed);

    private readonly Channel<GatewayEvent> _events =
        Channel.CreateBounded<GatewayEvent>(new BoundedChannelOptions(EventsMax) { SingleReader = true });

    private readonly TimeProvider _time;
    private readonly long _startedAt;
    private readonly ITimer _timer;
    private long _rings = long.MaxValue;

    internal GatewayInbox(TimeProvider time)
    {
        _time = time;
        _startedAt = time.GetTimestamp();
        _timer = time.CreateTimer(static inbox => ((GatewayInbox)inbox!).Ring(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Time since the gateway was made: the clock of all its deadlines.</summary>
    internal TimeSpan Now => _time.GetElapsedTime(_startedAt);

    internal void Post(GatewayEvent item) => _events.Writer.TryWrite(item);

    /// <summary>Takes what is there, or waits for it until <paramref name="deadline"/>; then the answer is "elapsed".</summary>
    internal async ValueTask<GatewayEvent> NextAsync(TimeSpan deadline, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // A ring only says to look at the clock.
            while (_events.Reader.TryRead(out var item))
                if (item.Kind != GatewayEventKind.Elapsed) return item;
            var left = deadline - Now;
            if (left <= TimeSpan.Zero) return Elapsed;
            Arm(deadline, left);
            await _events.Reader.WaitToReadAsync(cancellationToken);
        }
    }

    public void Dispose() => _timer.Dispose();

    /// <summary>A timer that rings too early is left alone: most waits end before it, and setting it costs more than a ring.</summary>
    private void Arm(TimeSpan deadline, TimeSpan left)
    {
        if (Volatile.Read(ref _rings) <= deadline.Ticks) return;
        Volatile.Write(ref _rings, deadline.Ticks);
        // Rounded up: a ring just before the deadline would be for nothing.
        var wait = TimeSpan.FromMilliseconds(Math.Min(Math.Ceiling(left.TotalMilliseconds), int.MaxValue));
        _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private void Ring()
    {
        Volatile.Write(ref _rings, long.MaxValue);
        _events.Writer.TryWrite(Elapsed);
    }
}
