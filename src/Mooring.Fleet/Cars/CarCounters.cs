namespace Mooring.Fleet.Cars;

/// <summary>What happened to one car since the start. Written by the car alone, read by anyone.</summary>
internal sealed class CarCounters
{
    internal long Sessions;
    internal long SessionsFailed;
    internal long StatusesReceived;
    internal long StatusesAnswered;
    internal long StatusesIgnored;
    internal long CommandsSent;
    internal long CommandsDelivered;
    internal long CommandsUndelivered;
    internal long MessagesRefused;
    internal long MessagesDropped;

    /// <summary>Takes over the counts of a car that is gone.</summary>
    internal void Add(CarCounters other)
    {
        Sessions += Interlocked.Read(ref other.Sessions);
        SessionsFailed += Interlocked.Read(ref other.SessionsFailed);
        StatusesReceived += Interlocked.Read(ref other.StatusesReceived);
        StatusesAnswered += Interlocked.Read(ref other.StatusesAnswered);
        StatusesIgnored += Interlocked.Read(ref other.StatusesIgnored);
        CommandsSent += Interlocked.Read(ref other.CommandsSent);
        CommandsDelivered += Interlocked.Read(ref other.CommandsDelivered);
        CommandsUndelivered += Interlocked.Read(ref other.CommandsUndelivered);
        MessagesRefused += Interlocked.Read(ref other.MessagesRefused);
        MessagesDropped += Interlocked.Read(ref other.MessagesDropped);
    }
}
