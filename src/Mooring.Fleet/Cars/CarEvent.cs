using Mooring.Fleet.Protocol;

namespace Mooring.Fleet.Cars;

internal enum CarEventKind
{
    Message,
    Commands,
    LinkUp,
    LinkDown,
    Tick,
    Stop,
}

/// <summary>One entry of a car's mailbox: exactly the field of its kind is set.</summary>
internal readonly record struct CarEvent(
    CarEventKind Kind, ExternalClient? Message = null, ModuleSlot? Slot = null, CarCommand? Command = null,
    TaskCompletionSource? Done = null, string Reason = "");
