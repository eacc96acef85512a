namespace Mooring.Mqtt.Client.Sessions;

/// <summary>A list through the messages themselves: one that is cancelled leaves it at once, wherever it stands.</summary>
internal sealed class PendingList
{
    private PendingPublish? _last;

    internal PendingPublish? First { get; private set; }

    internal void AddLast(PendingPublish pending)
    {
        pending.List = this;
        pending.Previous = _last;
        if (_last is null) First = pending;
        else _last.Next = pending;
        _last = pending;
    }

    internal void AddFirst(PendingPublish pending)
    {
        pending.List = this;
        pending.Next = First;
        if (First is null) _last = pending;
        else First.Previous = pending;
        First = pending;
    }

    internal void Remove(PendingPublish pending)
    {
        if (pending.Previous is null) First = pending.Next;
        else pending.Previous.Next = pending.Next;
        if (pending.Next is null) _last = pending.Previous;
        else pending.Next.Previous = pending.Previous;
        (pending.List, pending.Previous, pending.Next) = (null, null, null);
    }
}
