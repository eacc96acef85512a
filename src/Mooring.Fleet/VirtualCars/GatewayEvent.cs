using Mooring.Fleet.Protocol;

namespace Mooring.Fleet.VirtualCars;

/// <summary>What a gateway waits for.</summary>
internal enum GatewayEventKind
{
    /// <summary>A message of the external server.</summary>
    Message,

    /// <summary>A message that is none.</summary>
    Garbage,

    /// <summary>The server's disconnect note.</summary>
    Note,

    /// <summary>The link to the broker came or went.</summary>
    Link,

    /// <summary>The time is over.</summary>
    Elapsed,
}

/// <summary>One thing that happened to a gateway.</summary>
internal readonly record struct GatewayEvent(GatewayEventKind Kind, ExternalServer? Message = null);
