using System.Diagnostics;
using Google.Protobuf;
using Mooring.Fleet.Protocol;

namespace Mooring.Fleet.Modules.Calls;

internal enum ModuleCallKind
{
    Connected,
    DisconnectedAnnounced,
    DisconnectedTimeout,
    Status,
    Error,
    Acknowledge,

    /// <summary>The last call of all.</summary>
    Destroy,
}

/// <summary>One call of a car into one of its modules.</summary>
internal readonly record struct ModuleCall(ModuleCallKind Kind, Device Device, ByteString Data)
{
    /// <summary>What the call belongs to, on whatever thread it is made; null when nobody traces.</summary>
    internal Activity? Span { get; init; }
}
