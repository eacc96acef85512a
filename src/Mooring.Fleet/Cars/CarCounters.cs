namespace Mooring.Fleet.Cars;

/// <summary>What happened to one car since the start. Written by the car alone, read by anyone.</summary>
internal sealed class CarCounters
{
    internal long Sessions;
    internal long StatusesReceived;
    internal long StatusesAnswered;
    internal long StatusesIgnored;
    internal long CommandsSent;
    internal long CommandsDelivered;
    internal long CommandsUndelivered;
    internal long MessagesRefused;
    internal long MessagesDropped;
}
