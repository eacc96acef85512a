using System.Collections;

namespace Mooring.Chat.Rooms;

/// <summary>
/// Who is in a room, at one moment: walked without a lock, replaced under the room's. Lists that only grew share an array, since each
/// sees no more of it than it had; so a room of thousands fills without copying everybody at every join.
/// </summary>
internal sealed class MemberList : IReadOnlyList<Membership>
{
    internal static readonly MemberList Empty = new([], 0);

    private const int CapacityMin = 4;

    private readonly Membership[] _items;

    private MemberList(Membership[] items, int count)
    {
        _items = items;
        Count = count;
    }

    public int Count { get; }

    public Membership this[int index] => Span[index];

    internal ReadOnlySpan<Membership> Span => _items.AsSpan(0, Count);

    public IEnumerator<Membership> GetEnumerator() => _items.Take(Count).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Only the newest list may be added to.</summary>
    internal MemberList With(Membership member)
    {
        var items = _items;
        if (items.Length == Count) Array.Resize(ref items, Math.Max(CapacityMin, Count * 2));
        items[Count] = member;
        return new MemberList(items, Count + 1);
    }

    internal MemberList Without(Membership member)
    {
        Membership[] items = [.. this.Where(other => other != member)];
        return new MemberList(items, items.Length);
    }
}
