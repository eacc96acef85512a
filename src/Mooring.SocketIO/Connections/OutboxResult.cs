namespace Mooring.SocketIO.Connections;

/// <summary>What became of a packet that was to be sent.</summary>
internal enum OutboxResult
{
    Added,
    Full,
    Closed,
}
