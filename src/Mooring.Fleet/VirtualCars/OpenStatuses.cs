using System.Numerics;

namespace Mooring.Fleet.VirtualCars;

/// <summary>Statuses of a session that are not answered yet. Numbers wrap around.</summary>
internal sealed class OpenStatuses
{
    private const long Answered = -1;

    private readonly long[] _sentAt;
    private readonly int _max;
    private uint _oldest;
    private uint _next;

    /// <param name="first">Number of the first status.</param>
    /// <param name="max">How many may be open.</param>
    internal OpenStatuses(uint first, int max)
    {
        _oldest = _next = first;
        _max = max;
        _sentAt = new long[BitOperations.RoundUpToPowerOf2((uint)max)];
    }

    /// <summary>Numbers from the oldest open one on; some of them may be answered.</summary>
    internal int Count => (int)(_next - _oldest);

    internal bool IsFull => Count >= _max;

    /// <summary>When the oldest open status was sent; null when none is open.</summary>
    internal TimeSpan? OldestSentAt => Count == 0 ? null : new TimeSpan(_sentAt[Slot(_oldest)]);

    /// <summary>Opens the next status and returns its number.</summary>
    internal uint Open(TimeSpan now)
    {
        _sentAt[Slot(_next)] = now.Ticks;
        return _next++;
    }

    /// <returns>When the status was sent; null when it is not open.</returns>
    internal TimeSpan? Close(uint number)
    {
        if (number - _oldest >= (uint)Count || _sentAt[Slot(number)] == Answered) return null;
        var sentAt = new TimeSpan(_sentAt[Slot(number)]);
        _sentAt[Slot(number)] = Answered;
        while (_oldest != _next && _sentAt[Slot(_oldest)] == Answered) _oldest++;
        return sentAt;
    }

    private int Slot(uint number) => (int)(number & (uint)(_sentAt.Length - 1));
}
