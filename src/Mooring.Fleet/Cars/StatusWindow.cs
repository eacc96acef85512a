using Mooring.Fleet.Protocol;
using Mooring.Kernel.Tracing;

namespace Mooring.Fleet.Cars;

internal enum StatusPlace
{
    /// <summary>The expected one: handle it now, then ask <see cref="StatusWindow.TryRelease"/> for those behind it.</summary>
    Next,

    /// <summary>Ahead of a gap, kept until the gap closes.</summary>
    Held,

    /// <summary>Answered before, or a second copy of a held one.</summary>
    Duplicate,

    /// <summary>Further ahead than the window: a protocol error.</summary>
    TooFar,
}

/// <summary>A status that waits, and the place in its own trace at which it will go on.</summary>
internal readonly record struct WaitingStatus(Status Status, TraceContext? Trace);

/// <summary>Brings statuses into the order of their counters, modulo 2^32.</summary>
/// <param name="size">Most numbers that a status may be ahead.</param>
internal sealed class StatusWindow(int size)
{
    private Dictionary<uint, WaitingStatus>? _held;
    private uint _next;
    private bool _adopt;

    /// <summary>When the gap that holds statuses back was first seen; null without a gap.</summary>
    internal TimeSpan? GapSince { get; private set; }

    internal uint Next => _next;

    /// <summary>Begins a session: at a known counter, or at that of the first status that comes.</summary>
    internal void Reset(uint? next)
    {
        _held?.Clear();
        _adopt = next is null;
        _next = next ?? 1;
        GapSince = null;
    }

    internal StatusPlace Offer(Status status, TimeSpan now, TraceContext? trace = null)
    {
        if (_adopt)
        {
            _next = status.MessageCounter;
            _adopt = false;
        }
        var distance = unchecked((int)(status.MessageCounter - _next));
        if (distance < 0) return StatusPlace.Duplicate;
        if (distance > size) return StatusPlace.TooFar;
        if (distance == 0)
        {
            Advance(now);
            return StatusPlace.Next;
        }
        _held ??= [];
        if (!_held.TryAdd(status.MessageCounter, new WaitingStatus(status, trace))) return StatusPlace.Duplicate;
        GapSince ??= now;
        return StatusPlace.Held;
    }

    internal bool TryRelease(TimeSpan now, out WaitingStatus released)
    {
        released = default;
        if (_held is null || _held.Count == 0 || !_held.Remove(_next, out released)) return false;
        Advance(now);
        return true;
    }

    // A further gap behind the closed one has its own time.
    private void Advance(TimeSpan now)
    {
        _next = unchecked(_next + 1);
        if (_held is null || _held.Count == 0) GapSince = null;
        else if (!_held.ContainsKey(_next)) GapSince = now;
    }
}
