using Mooring.Fleet.Protocol;
using Mooring.Kernel.Tracing;

namespace Mooring.Fleet.Cars;

internal enum CarEventKind
{
    Message,
    Command,
    LinkUp,
    LinkDown,
    Tick,
    Stop,
}

/// <summary>One entry of a car's mailbox: exactly the fields of its kind are set.</summary>
internal readonly record struct CarEvent(
    CarEventKind Kind, ExternalClient? Message = null, ModuleSlot? Slot = null, CarCommand? Command = null,
    TaskCompletionSource? Done = null, string Reason = "", TraceSpan Span = default);
