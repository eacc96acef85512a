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
internal readonly record struct ModuleCall(ModuleCallKind Kind, Device Device, ByteString Data);
