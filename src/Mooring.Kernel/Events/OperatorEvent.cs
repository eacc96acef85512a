namespace Mooring.Kernel.Events;

/// <summary>Something that an operator may want to know.</summary>
/// <param name="Number">Grows by one from event to event of this process.</param>
/// <param name="At">When it happened.</param>
/// <param name="System">Which system: <c>fleet</c>, <c>edge</c>, <c>tunnel</c>, <c>chat</c> or <c>broker</c>.</param>
/// <param name="Subject">To whom: the name of a car, an agent, a tunnel, a room or a client.</param>
/// <param name="Kind">What, in one word that programs compare, such as <c>car_online</c>.</param>
/// <param name="Severity">How much it matters.</param>
/// <param name="Text">What people read: half a sentence.</param>
public sealed record OperatorEvent(
    long Number, DateTimeOffset At, string System, string Subject, string Kind, EventSeverity Severity, string Text);
