using Mooring.Kernel.Links;

namespace Mooring.Mqtt.Client.Connections;

/// <summary>Ends a connection from the depth of its reading, with the reason that everyone is told.</summary>
internal sealed class ConnectionEndException(LinkEnd end) : Exception(end.Reason)
{
    internal LinkEnd End { get; } = end;
}
